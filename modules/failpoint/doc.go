// Package failpoint names places in the program at which the fault bench
// (tools/faults) may end, stop, delay or fail it.
//
// Only a program built with the tag "faults" has them. Without it every function
// here is empty and inlined, so that not even a place's name is left in the
// binary: nothing in a released program can be armed, whatever its environment
// says.
//
// With the tag, MONITOR_FAILPOINTS arms places when the process starts:
//
//	MONITOR_FAILPOINTS="notifier.claimed=kill@3;store.serialization=error:0.2"
//
//	name=kill        the process kills itself as kill -9 would, at the first hit
//	name=kill@3      at the third hit, counted over the whole process
//	name=pause       the process stops itself (SIGSTOP) at the first hit
//	name=pause@3     at the third
//	name=delay:500ms each hit takes that much longer
//	name=error       each hit of an Error place fails
//	name=error:0.2   a fifth of the hits fails
//
// MONITOR_FAILPOINTS_SEED makes the choice of the hits that fail repeatable. What
// cannot be read ends the process at start with the exit code 2 and the reason.
//
// Safe for concurrent use.
package failpoint
