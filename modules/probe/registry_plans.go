package probe

import (
	"errors"
	"sync"

	"monitor/modules/form"
)

const (
	// maxPlanned bounds the settings that are remembered: a body to send may be a
	// MiB.
	maxPlanned = 4 << 10
	// maxPlannedAll bounds the settings of a generation, of which there are two. A
	// plan takes about four times its settings: some 12 MiB for 10,000 monitors, and
	// never more than 40.
	maxPlannedAll = 4 << 20
)

// plans remembers what a planner made of settings, by their exact bytes: the same
// monitor comes back every minute, and reading its settings costs as much as a
// tenth of its check. What is not asked for again is forgotten with its
// generation. It is safe for concurrent use.
//
// Settings with secrets are never remembered. The worker opens the secrets of a
// check just before it and lets them go just after it, and so it must stay. What
// is not marked as secret lies open in the database too.
type plans struct {
	mu         sync.Mutex
	young, old map[string]any
	size       int // of the settings of young, in bytes
}

func (p *plans) find(settings []byte) (any, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if plan, ok := p.young[string(settings)]; ok {
		return plan, true
	}
	plan, ok := p.old[string(settings)]
	if ok {
		p.keep(settings, plan)
	}
	return plan, ok
}

// remember is called with settings, as read, before anybody else has the plan.
func (p *plans) remember(raw []byte, settings, plan any) {
	if len(raw) > maxPlanned || holdsSecret(settings) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keep(raw, plan)
}

func (p *plans) keep(settings []byte, plan any) {
	if p.young == nil || p.size > maxPlannedAll {
		p.old, p.young, p.size = p.young, map[string]any{}, 0
	}
	p.young[string(settings)] = plan
	p.size += len(settings)
}

var errSecret = errors.New("there is a secret")

func holdsSecret(settings any) bool {
	return form.Secrets(settings, func(_, value string) (string, error) { return value, errSecret }) != nil
}
