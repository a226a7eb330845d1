package uptime

import "context"

type freshKey struct{}

// WithFresh asks the store to read the primary only: for who wrote a moment ago.
func WithFresh(ctx context.Context) context.Context {
	return context.WithValue(ctx, freshKey{}, true)
}

// IsFresh reports whether reads must not come from a replica.
func IsFresh(ctx context.Context) bool {
	fresh, _ := ctx.Value(freshKey{}).(bool)
	return fresh
}
