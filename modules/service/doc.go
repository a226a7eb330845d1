// Package service says what a running part of the program is, and runs them.
//
// A part is one blocking method, Run(ctx, ready). It
//
//   - calls ready as soon as it can work (more calls change nothing),
//   - stops taking work when ctx ends, finishes or hands back what it holds,
//   - and then returns nil. An error of a stop, a cancelled ctx handed up
//     included, means that something was not finished, and is reported.
//
// RunAll promises, for parts a, b, c:
//
//	ctx ends                     ┌──────────── c ends ─┬─ b ends ─┬─ a ends
//	a ──start──ready─────────────│─────────────────────│──────────cancel──▶
//	b ────────────────start──ready─────────────────────cancel─────▶
//	c ───────────────────────────start──ready──cancel──▶
//
// In words:
//
//   - Parts start in order: each only when the one before it is ready.
//   - They stop in reverse order: a part's ctx is cancelled only when all that
//     started after it have returned. So what others lean on comes first in the
//     list, and keeps working while they finish.
//   - A part that does not return within the grace is left behind, named in an
//     error, and the stop goes on. A stop lasts at most parts × grace.
//   - A part that returns before it was asked to, even with nil, stops all the
//     others and is an error that names it.
//   - A panic in a part's own goroutine is such a return, and its error carries
//     the stack. One in a goroutine that the part started still ends the process.
//
// Values of the ctx given to RunAll reach the parts; its deadline and cancellation
// reach only RunAll, which passes the stop on in order.
package service
