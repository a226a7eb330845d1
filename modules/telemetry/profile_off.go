//go:build !profile

package telemetry

import "context"

// Profiling is whether this program gives profiles of itself: built with the tag
// "profile" only, for they show what a process holds.
const Profiling = false

// Profiles does nothing until ctx ends.
func Profiles(ctx context.Context, ready func()) error {
	ready()
	<-ctx.Done()
	return nil
}
