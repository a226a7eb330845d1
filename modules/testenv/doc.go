// Package testenv gives tests real servers: PostgreSQL and Redis started from
// their binaries on free loopback ports, and the path of a Chromium.
//
// One server of each kind serves a whole test process (that is: one package's
// tests) and starts when the first test asks; every test gets a database of its
// own on it. Tests that stop, flush or pause a server, or that listen to Redis
// Pub/Sub (which knows no databases), take a server of their own with
// RedisServer. PostgresRestartable and PostgresReplica give PostgreSQL servers to
// stop, kill, pause, start again, let fall behind and promote.
//
// A missing binary fails the test and names the package to install. Nothing here
// ever skips: a run that lacks PostgreSQL must not look like one that passed.
//
// # How servers end
//
//	test process ──holds──▶ pipe ──read by──▶ guard (sh) ──▶ server, directory
//
// Every server runs under a small shell, the guard, which reads from a pipe that
// only the test process holds open. Whatever ends the test process, kill -9
// included, closes the pipe; the guard then kills the server and removes its
// directory. So no TestMain is needed, and no goroutine is left for goleak to see.
//
// PostgreSQL refuses to run as root. Where the tests do, the servers run as the
// user postgres, or nobody where that is missing.
//
// Only _test.go files and other test support may import this package; archtest
// holds that.
package testenv
