//go:build faults

package failpoint

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type action string

const (
	actKill  action = "kill"
	actPause action = "pause"
	actDelay action = "delay"
	actError action = "error"
)

// points by the name of their place.
type points map[string]*point

// point is one place that is armed.
type point struct {
	act   action
	at    int64         // the hit that counts, from 1
	delay time.Duration // of each hit
	share float64       // of the hits that fail

	hits   atomic.Int64
	mu     sync.Mutex
	random *rand.Rand
}

// fails draws whether this hit fails.
func (p *point) fails() bool {
	if p.act != actError {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.random.Float64() < p.share
}

// parse reads both variables; an empty text arms nothing.
func parse(text, seedText string) (points, error) {
	seed := uint64(1)
	if seedText != "" {
		var err error
		if seed, err = strconv.ParseUint(seedText, 10, 64); err != nil {
			return nil, fmt.Errorf("MONITOR_FAILPOINTS_SEED=%q is not a whole number", seedText)
		}
	}
	all := points{}
	for _, part := range strings.Split(text, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		name, how, ok := strings.Cut(part, "=")
		if !ok || name == "" {
			return nil, fmt.Errorf("MONITOR_FAILPOINTS: %q is not name=action", part)
		}
		if all[name] != nil {
			return nil, fmt.Errorf("MONITOR_FAILPOINTS: %s is armed twice", name)
		}
		p, err := parsePoint(how)
		if err != nil {
			return nil, fmt.Errorf("MONITOR_FAILPOINTS: %q: %w", part, err)
		}
		h := fnv.New64a()
		_, _ = h.Write([]byte(name)) // a hash takes all
		p.random = rand.New(rand.NewPCG(seed, h.Sum64()))
		all[name] = p
	}
	return all, nil
}

// parsePoint reads one action.
func parsePoint(how string) (*point, error) {
	how, argument, given := strings.Cut(how, ":")
	how, count, counted := strings.Cut(how, "@")
	p := &point{act: action(how), at: 1, share: 1}
	var err error
	switch p.act {
	case actKill, actPause:
		if given {
			return nil, fmt.Errorf("%s takes no argument after a colon", how)
		}
		if counted {
			if p.at, err = strconv.ParseInt(count, 10, 64); err != nil || p.at < 1 {
				return nil, fmt.Errorf("the hit after @ must be a whole number from 1")
			}
		}
		return p, nil
	case actDelay:
		if p.delay, err = time.ParseDuration(argument); err != nil || p.delay <= 0 {
			return nil, fmt.Errorf("delay needs a time above 0, as in delay:500ms")
		}
	case actError:
		if given {
			if p.share, err = strconv.ParseFloat(argument, 64); err != nil || p.share < 0 || p.share > 1 {
				return nil, fmt.Errorf("the share of errors must be from 0 to 1")
			}
		}
	default:
		return nil, fmt.Errorf("the action must be kill, pause, delay or error")
	}
	if counted {
		return nil, fmt.Errorf("%s takes no hit after @", how)
	}
	return p, nil
}
