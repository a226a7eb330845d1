// Package web is the pages: HTML rendered on the server that is complete without
// a script, the event stream that keeps open pages fresh, and the files in
// package static.
//
// What a person may do is decided in package manage; a handler here parses,
// calls it and draws its answer. The routes are one table (routes.go); what it
// does not name as public needs a session. Words, shapes and colours of a status
// come from one place (status.go), times and numbers from another (format.go).
package web
