// Package archtest holds the house to its plan: a test, not a promise.
//
// What it checks, and where that is written down as data:
//
//   - floors.go: which package stands on which floor, and what it may import;
//   - walls.go: which third-party library may be used where;
//   - exceptions.go: files and functions that are allowed to be longer than the
//     caps, each with its reason;
//   - handlers.go: what handles a request for a page is short, without exception;
//   - source.go: no init function, no sleeping, no skipped test;
//   - migrations.go: every migration exists in both dialects.
//
// A package that stands on no floor is a breach too: the plan is complete or it is
// no plan.
//
// Files are parsed in this process. A test that asked `go list` would be answered
// from the test cache, which sees what this process reads but not what a child
// process does, and would miss breaches.
package archtest
