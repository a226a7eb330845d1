package main

// How the bench is built, from below:
//
//	../servers       PostgreSQL and Redis from their binaries: start, kill, pause
//	postgres.go redis.go
//	link.go          a TCP proxy before each of them: cut, swallow, slow, another way
//	plug.go          a way to targets that can be as if there were none
//	process.go       one process of the program with its roles, port, log and points
//	farm.go          targets whose answers are switched, with a log of every request
//	hook.go mail.go  receivers that log every message
//	load.go          clients of the API that keep what they were answered
//	world.go         all of that for one scenario; nothing is shared between two
//	truth.go         what the program stored, read from PostgreSQL past the program
//	check*.go        the promises, each as a comparison of the two sides
//	bench.go         runs scenarios and prints lines while they run, a table at the end
//	rows_*.go        the scenarios: one for each fault that must be survived
//
// A scenario fails by what it finds, never by a panic or a broken-off run: all
// findings are collected and printed with the seed, and the logs of its processes
// stay in its folder. One that was only late while others took the processors runs
// again alone, and that is what counts; the table says so.
//
// Everything that is drawn comes from the seed. What the operating system decides
// (which goroutine goes first) is not drawn, so that a replay has the same plan and
// not the same microseconds.
