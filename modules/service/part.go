package service

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
)

// errGoexit stands for runtime.Goexit, which ends a goroutine without a result.
var errGoexit = errors.New("goroutine ended by runtime.Goexit")

// part is a service that was started.
type part struct {
	Service
	cancel context.CancelFunc
	ready  chan struct{} // closed when it calls ready
	done   chan struct{} // closed when it has returned; err may be read then
	err    error
}

// launch runs s in its own goroutine and reports its end to exits, which must
// have room for it.
func launch(ctx context.Context, s Service, exits chan<- *part) *part {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	p := &part{Service: s, cancel: cancel, ready: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer func() {
			close(p.done)
			exits <- p
		}()
		p.err = errGoexit // stays when Run neither returns nor panics
		p.err = guarded(own, s, sync.OnceFunc(func() { close(p.ready) }))
	}()
	return p
}

// guarded turns a panic of Run into an error with its stack.
func guarded(ctx context.Context, s Service, ready func()) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	return s.Run(ctx, ready)
}

func (p *part) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *part) earlyError() error {
	if p.err == nil {
		return fmt.Errorf("service %s %w", p.Name, ErrStoppedEarly)
	}
	return fmt.Errorf("service %s %w: %w", p.Name, ErrStoppedEarly, p.err)
}

// PanicError is the error of a part that panicked.
type PanicError struct {
	Value any
	Stack []byte // of the panicking goroutine
}

// Error gives the value and the stack.
func (e *PanicError) Error() string {
	return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack)
}

// Unwrap gives the value where it is an error, and nil otherwise.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
