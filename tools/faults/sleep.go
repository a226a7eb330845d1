package main

import (
	"context"
	"time"
)

const (
	startTimeout = 60 * time.Second
	pollEvery    = 10 * time.Millisecond
)

// sleep waits, or gives the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
