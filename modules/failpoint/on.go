//go:build faults

package failpoint

import (
	"context"
	"fmt"
	"net/http/httptrace"
	"os"
	"syscall"
	"time"
)

// armed is read before main begins, so that a mistake in it stops the start.
var armed = load()

func load() points {
	p, err := parse(os.Getenv("MONITOR_FAILPOINTS"), os.Getenv("MONITOR_FAILPOINTS_SEED"))
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "failpoints:", err)
		os.Exit(2)
	}
	return p
}

// Here kills, stops or delays the process where the place is armed to.
func Here(name string) {
	if p := armed[name]; p != nil {
		p.hit()
	}
}

// Error fails where the place is armed to; what else it is armed with happens
// too.
func Error(name string) error {
	p := armed[name]
	if p == nil {
		return nil
	}
	p.hit()
	if p.fails() {
		return fmt.Errorf("failpoint %s", name)
	}
	return nil
}

// Written makes Here(name) happen when the HTTP request that is sent with the
// context has been written and its answer has not been read.
func Written(ctx context.Context, name string) context.Context {
	if armed[name] == nil {
		return ctx
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteRequest: func(info httptrace.WroteRequestInfo) {
			if info.Err == nil {
				Here(name)
			}
		},
	})
}

// hit does what is due at this hit.
func (p *point) hit() {
	n := p.hits.Add(1)
	switch p.act {
	case actKill:
		if n == p.at {
			_ = syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
			select {} // the signal ends the other threads a moment later
		}
	case actPause:
		if n == p.at {
			_ = syscall.Kill(syscall.Getpid(), syscall.SIGSTOP)
		}
	case actDelay:
		<-time.After(p.delay)
	case actError:
	}
}
