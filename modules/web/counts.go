package web

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"monitor/modules/uptime"
)

// counts are what every page shows in its title, its icon and beside the entries of
// its navigation.
type counts struct {
	Workspace int64  `json:"workspace"`
	Down      int64  `json:"down"` // monitors
	Open      int64  `json:"open"` // incidents
	Icon      string `json:"icon"` // of the tab: up, down or unknown
	Version   string `json:"version"`

	read time.Time // when reading them began
}

// countsAge is how old counts may be. They are read at most once in that time for
// each workspace, however many pages listen.
const countsAge = time.Second

// tallies keep the newest counts of each workspace. Their methods may be called
// concurrently.
type tallies struct {
	mu sync.Mutex
	of map[int64]*tally
}

type tally struct {
	mu   sync.Mutex // held while they are read: others wait for the answer
	last counts
}

func (t *tallies) workspace(id int64) *tally {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[int64]*tally{}
	}
	if t.of[id] == nil {
		t.of[id] = &tally{}
	}
	return t.of[id]
}

// countsNow gives them, from the primary: a replica may not know yet of the change
// that they are read for.
func (w *Web) countsNow(ctx context.Context, actor uptime.Actor) (counts, error) {
	t := w.tallies.workspace(actor.WorkspaceID)
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.last.read.IsZero() && time.Since(t.last.read) < countsAge {
		return t.last, nil
	}
	ctx = uptime.WithFresh(ctx)
	begun := time.Now()
	by, err := w.deps.Manage.Counts(ctx, actor)
	if err != nil {
		return counts{}, err
	}
	open, err := w.deps.Manage.CountIncidents(ctx, actor, uptime.IncidentFilter{Unresolved: true})
	if err != nil {
		return counts{}, err
	}
	icon := strings.TrimSuffix(strings.TrimPrefix(faviconOf(by), "favicon-"), ".svg")
	t.last = counts{Workspace: actor.WorkspaceID, Down: by[uptime.Down], Open: open, Icon: icon, Version: w.deps.Version, read: begun}
	return t.last, nil
}

func (c counts) json() ([]byte, error) {
	raw, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("write counts: %w", err)
	}
	return raw, nil
}
