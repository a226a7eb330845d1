// Package probe makes checks. Each monitor type is one file with a settings
// struct and one line in the table of registry.go; nothing outside that file
// knows its name.
//
// What a probe finds is an Outcome: up, degraded, down with the kind of failure,
// or unknown where our own policy forbids the address. What keeps us from
// checking at all is an error, and never counts as down.
//
// Targets are hostile until proven otherwise: every read is capped, everything
// ends with the check's one deadline, and text from outside passes uptime.Clean.
package probe
