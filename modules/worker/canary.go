package worker

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// patience is how long canaries may take to answer: two questions fit into the
// time that a verdict may be held back.
const patience = 900 * time.Millisecond

// asked is how many hosts that were reached lately are asked at a time: so many that
// they are not all of those that went away together with half of all targets.
const asked = 3 * enough

// dialer connects within the network policy; its errors say why it could not.
type dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// question is asked of canaries.
type question struct {
	// canaries decide; witnesses are hosts that were reached lately, asked to
	// learn how many of them fail.
	canaries, witnesses []endpoint
	// put is when: a good answer says nothing of checks that failed later.
	put time.Time
	// remote: this machine itself is no canary.
	remote bool
}

// answer is what came of a question.
type answer struct {
	question
	reached bool       // a canary was
	dead    []endpoint // of the witnesses, those that were not
	alive   int        // and how many were
}

// ask dials all at once, until a canary answers or none will. Where the witnesses
// are the canaries, each is both.
func ask(ctx context.Context, d dialer, q question) answer {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	a := answer{question: q}
	decides := len(q.canaries) == 0
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, e := range q.canaries {
		all.Go(func() {
			if reach(ctx, d, e, false) == nil {
				mu.Lock()
				defer mu.Unlock()
				a.reached = true
				cancel()
			}
		})
	}
	for _, e := range q.witnesses {
		all.Go(func() {
			err := reach(ctx, d, e, q.remote)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				a.dead = append(a.dead, e)
				return
			}
			a.alive++
			if decides {
				a.reached = true
				cancel()
			}
		})
	}
	all.Wait()
	return a
}

// errHere is the error of a name that leads to this machine.
var errHere = errors.New("the canary is this machine")

func reach(ctx context.Context, d dialer, e endpoint, remote bool) error {
	conn, err := d.DialContext(ctx, "tcp", e.address)
	if err != nil {
		return err
	}
	peer, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	_ = conn.Close() // nothing was said on it
	if remote && err == nil && peer.Addr().Unmap().IsLoopback() {
		return errHere
	}
	return nil
}

// parseCanaries reads the setting worker.canaries.
func parseCanaries(list []string) []endpoint {
	var all []endpoint
	for _, text := range list {
		if e := parseEndpoint(text); e.address != "" && !slices.Contains(all, e) {
			all = append(all, e)
		}
	}
	return all
}
