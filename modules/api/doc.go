// Package api serves the REST API, its OpenAPI document and the page to read it.
//
// routes.go is the one table of operations. Each line becomes an operation of
// the OpenAPI document and a handler behind one pipeline (serve.go), in order:
//
//	token ─▶ rate limit ─▶ query parameters ─▶ body ─▶ Idempotency-Key ─▶ handler ─▶ answer
//
// A route that is not marked as open to anyone needs a token: deny by default.
// Handlers parse, call package manage and answer. Every error is written by one
// function (problem.go) as application/problem+json.
//
// Client address, host and request id come from uptime.RequestOf, never from
// headers. Everything here may be called concurrently.
package api
