// Package httpd owns the listeners. It gives every request an id, finds out who
// is really asking (trusted proxies), bounds headers, bodies and time, writes
// the access log, answers /healthz, /readyz and /metrics, and hands everything
// else to the handlers of api and web, whose packages it does not know.
//
//	:8080 ──▶ request id ▶ client ▶ limits ▶ log ─┬─ /healthz /readyz /metrics
//	                                              ├─ /api /ping ──▶ api
//	                                              └─ the rest ────▶ web
//	admin address, where set: /healthz /readyz /metrics only; the public
//	listener then keeps /healthz.
//
// Stopping: readiness turns to 503 at once, streams are told to end, requests
// in flight get up to Drain to finish, then connections are closed.
package httpd
