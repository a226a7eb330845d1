// Package deploycheck is the tests of what deploys the program: Dockerfile, Compose,
// Kubernetes, systemd and Prometheus files. They need no container engine.
//
//	decoded strictly     by the types of those who will read them; a misspelt key fails
//	joined               ports, labels, names, roles and replicas agree between files
//	held to the program  every setting is in docs/configuration.md, every metric of an
//	                     alert in /metrics, every alert in docs/operations.md
//	run                  the commands and environments of compose.yaml as processes,
//	                     over a real PostgreSQL and Redis
//
// What only an engine can tell (images that exist, volumes and their owners, networks)
// is not tested here.
package deploycheck
