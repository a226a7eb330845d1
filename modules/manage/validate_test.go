package manage_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// TestValidate: what is judged while somebody types is what saving would say, and
// nothing is saved.
func TestValidate(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	for _, body := range []string{
		leastMonitor, `{}`, `{"name":"Shop","type":"http","interval":"1s","http":{"url":"ftp://x"}}`,
		`{"name":"Shop","type":"http","channel_ids":[77],"http":{"url":"https://example.com"}}`,
	} {
		said := b.ValidateMonitor(ctx, b.owner, 0, json.RawMessage(body))
		list, err := b.Monitors(ctx, b.owner, uptime.MonitorFilter{}, uptime.Page{})
		require.NoError(t, err)
		require.Empty(t, list.Items)
		_, saved := b.CreateMonitor(ctx, b.owner, json.RawMessage(body))
		require.Equal(t, saved, said, body)
		if saved == nil {
			require.NoError(t, b.DeleteMonitor(ctx, b.owner, 1, ""))
		}
	}
	require.NoError(t, b.ValidateChannel(ctx, b.owner, 0, json.RawMessage(`{"name":"Hook","type":"webhook","settings":{"url":"https://example.com","secret":"x"}}`)))
	require.Equal(t, []string{"settings.url must be an absolute http or https URL"},
		problems(t, b.ValidateChannel(ctx, b.owner, 0, json.RawMessage(`{"name":"Hook","type":"webhook","settings":{"url":"nope"}}`))))

	// A masked secret is that of the stored one, and of no other.
	c := b.channel(t, `{"name":"Hook","type":"webhook","settings":{"url":"https://example.com","secret":"x"}}`)
	masked := json.RawMessage(`{"name":"Hook","type":"webhook","settings":{"url":"https://example.com","secret":"********"}}`)
	require.NoError(t, b.ValidateChannel(ctx, b.owner, c.ID, masked))
	require.Error(t, b.ValidateChannel(ctx, b.owner, 0, masked))
	require.ErrorIs(t, b.ValidateChannel(ctx, b.owner, absent, masked), uptime.ErrNotFound)
}
