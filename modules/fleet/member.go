package fleet

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"monitor/modules/uptime"
)

// Gone is how long after its last report a process is no member any more.
const Gone = 15 * time.Second

// Member is one process.
type Member struct {
	ID      string   `json:"id"` // unlike that of any other run of a process
	Host    string   `json:"host"`
	Roles   []string `json:"roles"`
	Healthy []string `json:"healthy"` // the roles that work
	Version string   `json:"version"`
	// Leading: it leads the schedulers.
	Leading bool `json:"leading"`
	// ChecksPerSecond and Late are of its worker, over the last half minute to
	// minute.
	ChecksPerSecond float64  `json:"checks_per_second"`
	Late            Lateness `json:"late"`
	// Held are the circuit breakers of channels that are not closed.
	Held []uptime.EndpointState `json:"held,omitempty"`
	// StartedAt and SeenAt are by the clock that all members share. Report sets
	// SeenAt.
	StartedAt time.Time `json:"-"`
	SeenAt    time.Time `json:"-"`
}

// Lateness counts checks by how long after their slot they were begun.
type Lateness struct {
	Bounds []time.Duration `json:"bounds"` // upper, ascending
	Counts []uint64        `json:"counts"` // one more than Bounds: the last is beyond all
}

// Plus sums two counts. Where their bounds differ, as between versions of the
// program, the counts of the other are left out.
func (l Lateness) Plus(other Lateness) Lateness {
	switch {
	case len(l.Counts) == 0:
		return other
	case !slices.Equal(l.Bounds, other.Bounds) || len(l.Counts) != len(other.Counts):
		return l
	}
	sum := Lateness{Bounds: l.Bounds, Counts: slices.Clone(l.Counts)}
	for i, n := range other.Counts {
		sum.Counts[i] += n
	}
	return sum
}

// Quantile gives the bound below which the share q (0–1) of checks was begun;
// zero without checks, the last bound for what is beyond it.
func (l Lateness) Quantile(q float64) time.Duration {
	var total, sum uint64
	for _, n := range l.Counts {
		total += n
	}
	if total == 0 || len(l.Bounds) == 0 {
		return 0
	}
	for i, n := range l.Counts {
		sum += n
		if float64(sum) >= q*float64(total) {
			return l.Bounds[min(i, len(l.Bounds)-1)]
		}
	}
	return l.Bounds[len(l.Bounds)-1]
}

var errNoID = errors.New("report to the fleet: the member has no id")

// inOrder sorts the eldest first.
func inOrder(members []Member) []Member {
	slices.SortFunc(members, func(a, b Member) int {
		return cmp.Or(a.StartedAt.Compare(b.StartedAt), cmp.Compare(a.ID, b.ID))
	})
	return members
}
