package manage_test

import (
	"context"
	"encoding/json"
	"testing"

	"monitor/modules/uptime"
)

// FuzzBodies: no bytes make a method fail for a reason of our own.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{
		leastMonitor, `{}`, `[]`, `{"a":{"a":[{"b":1e999}]}}`, `{"type":"http","http":{"url":"https://u:********@e"}}`,
		`{"type":"http","tags":{"":null},"regions":["a","a"],"http":{"headers":{"Cookie":"x"}}}`, `{"password":"\u0000"}`,
	} {
		f.Add([]byte(seed))
	}
	b, ctx := setup(f), context.Background()
	v := b.monitor(f, leastMonitor)
	f.Fuzz(func(t *testing.T, raw []byte) {
		for name, do := range map[string]func() error{
			"Test":     func() error { _, err := b.TestMonitor(ctx, b.owner, json.RawMessage(raw)); return err },
			"Patch":    func() error { _, err := b.PatchMonitor(ctx, b.owner, v.ID, json.RawMessage(raw), ""); return err },
			"Channel":  func() error { _, err := b.CreateChannel(ctx, b.owner, json.RawMessage(raw)); return err },
			"Incident": func() error { _, err := b.CreateIncident(ctx, b.owner, json.RawMessage(raw)); return err },
			"Me":       func() error { _, err := b.UpdateMe(ctx, b.owner, json.RawMessage(raw), ""); return err },
		} {
			if err := do(); err != nil && uptime.CodeOf(err) == uptime.CodeInternal {
				t.Fatalf("%s: %v", name, err)
			}
		}
	})
}
