//go:build !faults

package failpoint

import "context"

// Here does nothing.
func Here(string) {}

// Error gives nil.
func Error(string) error { return nil }

// Written gives ctx.
func Written(ctx context.Context, _ string) context.Context { return ctx }
