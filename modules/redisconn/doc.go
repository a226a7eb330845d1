// Package redisconn opens the connections to Redis that queue, lock, bus, limit
// and fleet share: one address in the settings, whatever stands behind it (one
// server, Sentinel, Cluster, with or without TLS), and pools by purpose, so that
// a page never waits behind a worker's blocking read.
//
// The names of all keys, streams and channels are made in keys.go and nowhere
// else: two parts that mean different things by one name would break each other
// in silence, and a cluster needs the keys of one script in one slot.
//
// # Failures
//
// Open needs no server: a Redis that is away at start is a degraded start, not a
// failed one. Every command is bounded (Timeout); go-redis dials again by itself,
// with back-off. State says whether the server answers and how far its clock is
// off ours.
package redisconn
