package fleet

import (
	"slices"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// Patience is how long nobody may do a role before it is said: one report may be
// lost, and processes start one after another.
const Patience = 10 * time.Second

// Watch says which roles nobody does. It is safe for concurrent use.
type Watch struct {
	clock uptime.Clock

	mu   sync.Mutex
	done map[string]time.Time // by condition: when somebody was last seen to do it
}

// NewWatch makes a watch that has seen everybody now.
func NewWatch(clock uptime.Clock) *Watch {
	w := &Watch{clock: clock, done: map[string]time.Time{}}
	for _, r := range watched() {
		w.done[r.condition] = clock()
	}
	return w
}

type watchedRole struct{ role, condition string }

func watched() []watchedRole {
	return []watchedRole{
		{"scheduler", uptime.ConditionScheduler},
		{"worker", uptime.ConditionWorkers},
		{"notifier", uptime.ConditionNotifiers},
	}
}

// Look takes in the members of now and gives the conditions of roles that nobody
// has done for Patience. A process counts while it is there: whether a role of it
// is healthy depends on what all share, which has conditions of its own.
func (w *Watch) Look(members []Member) []uptime.Condition {
	now := w.clock()
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []uptime.Condition
	for _, r := range watched() {
		if slices.ContainsFunc(members, func(m Member) bool { return slices.Contains(m.Roles, r.role) }) {
			w.done[r.condition] = now
		} else if now.Sub(w.done[r.condition]) >= Patience {
			out = append(out, uptime.ConditionOf(r.condition))
		}
	}
	return out
}

// Forget is to be called instead of Look while nobody can tell who runs.
func (w *Watch) Forget() {
	now := w.clock()
	w.mu.Lock()
	defer w.mu.Unlock()
	for condition := range w.done {
		w.done[condition] = now
	}
}
