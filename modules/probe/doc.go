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
//
// A check over plain http is made by hand (http1*.go), because checks per core are
// what the program is measured by; https, later hops and unusual requests are
// net/http's. The two must find the same in everything but time, which
// TestHopIsNetHTTP… and FuzzHTTP1AgainstNetHTTP hold them to: a change of one that
// the other does not follow fails there.
package probe
