package main

import "strings"

// needsQuiet: these load the API with so many requests a second. Where others take the
// processors at the same time, requests last longer than a process that is told to end
// waits for them, and their being broken off says nothing of it.
func needsQuiet(s scenario) bool { return strings.HasPrefix(s.name, "api-") }

// scenarios is the table: one line for each fault, in the order in which they
// begin. The longest go first, so that those that end last are short.
func scenarios() []scenario {
	list := []scenario{
		{"random", "everything at random, four kinds of targets: all six promises", randomly},
		{"workers-away", "stream bounded; no burst above twice the steady rate; no false down; the gap is no data", workersAway},
		{"leader-paused", "0 jobs with the old epoch; steps down within 1 s", leaderPaused},
		{"leader-killed", "first new slot ≤ 15 s later; nothing missed at 60 s; 0 duplicates", leaderKilled},
		{"leader-stopped", "first new slot ≤ 2 s later; nothing missed at 60 s; 0 duplicates", leaderStopped},
	}
	for _, point := range []string{"claimed", "connecting", "written", "answered", "committed"} {
		list = append(list, scenario{
			"notifier-" + point, "killed at this point: 0 lost; what was on its way comes twice at most, same id", notifierKilled("notifier." + point),
		})
	}
	return append(list, []scenario{
		{"worker-killed", "job run again ≤ timeout + 15 s, or missed with the next slots on time; one row", workerKilled},
		{"worker-paused", "as killed; what it stores when woken is no down and moves nothing back", workerPaused},
		{"worker-cut", "its network cut, 500 targets: 0 incidents, 1 alarm; 40 bad answers at once: 40", workerCut},
		{"worker-stopped", "SIGTERM loses 0", workerStopped},
		{"redis-away", "resume ≤ 10 s after it is back; 0 duplicates, 0 lost messages; web and api unaffected", redisAway},
		{"redis-restarted", "as away, with its data", redisRestarted},
		{"redis-emptied", "as away, restarted without its data", redisEmptied},
		{"redis-flushed", "as away, FLUSHALL", redisFlushed},
		{"redis-promoted", "as away, a replica without the last writes", redisPromoted},
		{"postgres-away", "recovery ≤ 10 s; held results written once; 0 lost, 0 doubled; healthz 200", postgresAway},
		{"postgres-restarted", "as away, crashed and started", postgresRestarted},
		{"postgres-full", "as away, all connections taken", postgresFull},
		{"postgres-retries", "20 % serialization errors: 0 lost, 0 doubled; healthz 200", postgresRetries},
		{"api-killed", "under 100 requests/s: every 2xx write is there", apiKilled},
		{"api-stopped", "under 100 requests/s: every 2xx write is there; 0 resets", apiStopped},
		{"two-of-each", "one of each killed at once, half the targets failing: every outage told once", twoOfEach},
		{"change-told", "a change reaches scheduler and streams of other processes within a second", changeTold},
		{"alone", "one process on PostgreSQL without Redis, killed again and again: all six promises", alone},
	}...)
}
