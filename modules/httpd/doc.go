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
// Stopping resets nobody's connection:
//
//	at once   /readyz is 503, streams are told to end, every answer says
//	          Connection: close
//	Delay     connections are still taken: a balancer that has not yet looked at
//	          /readyz sends more. Without one: while there are connections, at
//	          most Linger
//	then      who waits before the door is let in and the door shut; requests in
//	          flight get up to Drain, then connections are closed
//
// What cannot be helped: a client whose connection was silent for the whole delay
// and that sends a request in the very moment in which it is closed.
package httpd
