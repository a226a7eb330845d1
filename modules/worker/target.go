package worker

import (
	"hash/maphash"
	"slices"
	"time"

	"monitor/modules/uptime"
)

const (
	// within is the time in which targets must start to fail for the worker's own
	// network to be suspected, and enough how many hosts.
	within = 10 * time.Second
	enough = 5
	// lately is how long a host that was reached serves as a canary.
	lately = time.Minute
	// remember is how long a target that is not checked is known.
	remember = time.Hour
)

// target is what this worker knows of one monitor's target.
type target struct {
	endpoint
	settings uint64    // hash of those that the endpoint was read from
	reached  time.Time // when it answered last
	failing  time.Time // since when it fails; zero: it does not
	seen     time.Time
}

// targets knows what this worker checked lately. It is not safe for concurrent
// use.
type targets struct {
	seed     maphash.Seed
	known    map[int64]*target
	swept    time.Time
	endpoint func(uptime.Spec) endpoint
}

func newTargets(endpoint func(uptime.Spec) endpoint) *targets {
	return &targets{seed: maphash.MakeSeed(), known: map[int64]*target{}, endpoint: endpoint}
}

// of gives the target of a job.
func (t *targets) of(lease uptime.Lease, now time.Time) *target {
	if now.Sub(t.swept) > remember/4 {
		t.sweep(now)
	}
	hash := maphash.Bytes(t.seed, lease.Spec.Settings)
	one := t.known[lease.MonitorID]
	if one == nil || one.settings != hash {
		one = &target{endpoint: t.endpoint(lease.Spec), settings: hash}
		t.known[lease.MonitorID] = one
	}
	one.seen = now
	return one
}

func (t *targets) sweep(now time.Time) {
	t.swept = now
	for id, one := range t.known {
		if now.Sub(one.seen) > remember {
			delete(t.known, id)
		}
	}
}

// fresh reports a target that answered within the last minute.
func (t *target) fresh(now time.Time) bool {
	return !t.reached.IsZero() && now.Sub(t.reached) <= lately
}

// startsFailing reports one that has failed since a moment ago only.
func (t *target) startsFailing(now time.Time) bool {
	return !t.failing.IsZero() && now.Sub(t.failing) <= within
}

// manyHosts reports whether enough hosts are known for all of them to be
// suspicious together.
func (t *targets) manyHosts(now time.Time) bool {
	hosts := map[string]struct{}{}
	for _, one := range t.known {
		if one.host != "" && (one.fresh(now) || one.startsFailing(now)) {
			if hosts[one.host] = struct{}{}; len(hosts) >= enough {
				return true
			}
		}
	}
	return false
}

// candidates gives up to n endpoints that may serve as canaries, each host once:
// those reached within the last minute, and of these the ones that do not fail
// first. Where a host is in question that is not this machine, this machine is no
// canary.
func (t *targets) candidates(now time.Time, n int) (well []endpoint, remote bool) {
	for _, one := range t.known {
		if remote = one.host != "" && !one.local() && !one.failing.IsZero(); remote {
			break
		}
	}
	var failing []endpoint
	picked := map[string]bool{}
	for _, one := range t.known { // in random order
		if one.address == "" || picked[one.host] || !one.fresh(now) || remote && one.local() {
			continue
		}
		if !one.failing.IsZero() {
			failing = append(failing, one.endpoint)
			continue
		}
		picked[one.host] = true
		if well = append(well, one.endpoint); len(well) == n {
			return well, remote
		}
	}
	for _, e := range failing {
		if len(well) < n && !picked[e.host] {
			picked[e.host] = true
			well = append(well, e)
		}
	}
	return well, remote
}

// count is what speaks for and against the worker's own network.
type count struct {
	hosts   int // that started to fail
	failing int // targets that did
	working int // targets that answered since the first of them did
}

// guilty reports whether the failures look like our own.
func (c count) guilty() bool { return c.hosts >= enough && c.failing >= c.working }

// count weighs the last seconds. dead are hosts that were reached a moment ago and
// could not be dialled now, alive is how many could. Nobody knows when a cut began, and one target that went
// away by itself shortly before must not hide it: so each failure may have been the
// first of it, and the earliest one from which on the failures look like our own is
// taken.
func (t *targets) count(now time.Time, dead []endpoint, alive int) count {
	var failing []*target // newest first
	first := now
	for _, one := range t.known {
		if one.host != "" && one.startsFailing(now) {
			failing = append(failing, one)
			if one.failing.Before(first) {
				first = one.failing
			}
		}
	}
	slices.SortFunc(failing, func(a, b *target) int { return b.failing.Compare(a.failing) })
	var working []time.Time // newest first
	for _, one := range t.known {
		if one.failing.IsZero() && !one.reached.Before(first) {
			working = append(working, one.reached)
		}
	}
	slices.SortFunc(working, func(a, b time.Time) int { return b.Compare(a) })

	// A dead host is a failure of its own until one of its targets is.
	hosts, unseen := map[string]bool{}, map[string]bool{}
	for _, e := range dead {
		hosts[e.host], unseen[e.host] = true, true
	}
	var c, found count
	seen := 0 // of those that work, how many answered since
	for i, since := 0, now; ; i++ {
		for seen < len(working) && !working[seen].Before(since) {
			seen++
		}
		c.working = alive + seen
		c.hosts, c.failing = len(hosts), i+len(unseen)
		if c.guilty() || !found.guilty() {
			found = c
		}
		if i == len(failing) {
			break
		}
		since = failing[i].failing
		hosts[failing[i].host] = true
		delete(unseen, failing[i].host)
	}
	return found
}

// mostWork reports whether, of what was checked after a moment, more was reached
// than not: a canary that was taken out of service must not keep us blind.
func (t *targets) mostWork(after time.Time) bool {
	working, failing := 0, 0
	for _, one := range t.known {
		switch {
		case !one.seen.After(after):
		case !one.failing.IsZero():
			failing++
		case one.reached.After(after):
			working++
		}
	}
	return working > failing
}
