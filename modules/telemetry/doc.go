// Package telemetry makes what the program is watched by: its logger, its metrics
// and what it knows of its own build.
//
// No type of the Prometheus library leaves this package: a part declares its
// metrics with Registry.Counter, Gauge and Histogram and counts with what it gets.
package telemetry
