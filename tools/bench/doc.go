// Command bench measures the built program as its users run it, beside a bare
// net/http GET loop in the same run, so that figures of different machines can be
// compared: every cost is also given as a ratio to the loop's.
//
// Build first (make bench does). Everything runs on this machine over loopback,
// PostgreSQL and Redis included, and ends by itself.
//
//	targets, receiver     in this process: what is asked and what is told
//	bare                  this program again: the loop that everything is compared with
//	monitor               the built program, in one process, on SQLite or on PostgreSQL and Redis
//
// What is measured is seen from outside: the targets log every request, from which
// lateness, missed and repeated slots follow by the public rule of slots; the CPU
// and memory of each process are the kernel's (proc(5)); the receiver notes when a
// webhook came. A leg during which the hypervisor or other processes took more than
// a tenth of a core is repeated, and counted.
package main
