package manage_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

func (b *bundle) channel(t *testing.T, body string) manage.ChannelView {
	t.Helper()
	v, err := b.CreateChannel(context.Background(), b.owner, json.RawMessage(body))
	require.NoError(t, err)
	return v
}

func TestChannels(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	first := b.channel(t, `{"name":"Hook","type":"webhook","is_default":true,"settings":{"url":"https://example.com","secret":"hunter2"}}`)
	require.True(t, first.Enabled)
	require.True(t, first.SendResolved)
	require.JSONEq(t, `{"url":"https://example.com","headers":{},"secret":"********"}`, string(first.Settings))
	stored, err := b.store.Channel(ctx, b.owner.WorkspaceID, first.ID)
	require.NoError(t, err)
	require.NotContains(t, string(stored.Settings), "hunter2")

	mon := b.monitor(t, leastMonitor)
	require.Equal(t, []int64{first.ID}, mon.ChannelIDs, "default channels are used by new monitors")
	none := b.monitor(t, `{"name":"Quiet","type":"http","channel_ids":[],"http":{"url":"https://example.com"}}`)
	require.Empty(t, none.ChannelIDs)

	second := b.channel(t, `{"name":"Chat","type":"chat","fallback_channel_id":1,"settings":{"url":"https://chat.example/secret-hook"}}`)
	require.Equal(t, first.ID, *second.FallbackChannelID)
	require.JSONEq(t, `{"url":"********","every":"60s"}`, string(second.Settings))
	// A masked value is not judged by the rules of a clear one.
	again, err := b.PatchChannel(ctx, b.owner, second.ID, json.RawMessage(`{"name":"Chat 2","settings":{"url":"********","every":"2s"}}`), second.ETag)
	require.NoError(t, err)
	require.JSONEq(t, `{"url":"********","every":"2s"}`, string(again.Settings))
	_, err = b.TestChannel(ctx, b.owner, second.ID)
	require.NoError(t, err)
	require.Contains(t, string(b.sender.channels[0].Settings), "https://chat.example/secret-hook")

	require.NoError(t, b.DeleteChannel(ctx, b.owner, first.ID, ""))
	mon, err = b.Monitor(ctx, b.owner, mon.ID)
	require.NoError(t, err)
	require.Empty(t, mon.ChannelIDs)
}

func TestHostileChannels(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	v := b.channel(t, `{"name":"Hook","type":"webhook","settings":{"url":"https://example.com"}}`)
	for name, c := range map[string]struct {
		body string
		want []string
	}{
		"Nothing":         {`{}`, []string{"name is required", "type is required"}},
		"UnknownType":     {`{"name":"x","type":"fax"}`, []string{"type must be one of webhook, chat"}},
		"NoSettings":      {`{"name":"x","type":"webhook"}`, []string{"settings.url is required"}},
		"BadURL":          {`{"name":"x","type":"webhook","settings":{"url":"x"}}`, []string{"settings.url must be an absolute http or https URL"}},
		"UnknownSetting":  {`{"name":"x","type":"webhook","settings":{"url":"https://a.example","to":1}}`, []string{"settings.to is not a field of settings; allowed are url, headers, secret"}},
		"UnknownField":    {`{"name":"x","type":"webhook","webhook":{},"settings":{"url":"https://a.example"}}`, []string{"webhook is not a field of a channel; allowed are name, type, enabled, is_default, send_resolved, send_degraded, fallback_channel_id, settings"}},
		"NoFallback":      {`{"name":"x","type":"webhook","fallback_channel_id":9,"settings":{"url":"https://a.example"}}`, []string{"fallback_channel_id is not a channel of yours"}},
		"FallbackIsText":  {`{"name":"x","type":"webhook","fallback_channel_id":"1","settings":{"url":"https://a.example"}}`, []string{"fallback_channel_id must be an id"}},
		"MaskedAtOnce":    {`{"name":"x","type":"chat","settings":{"url":"********"}}`, []string{"settings.url is masked and nothing is stored for it: write the value itself"}},
		"DoubledSettings": {`{"name":"x","type":"webhook","settings":{"url":"https://a.example"},"settings":{"url":"https://b.example"}}`, []string{"settings is given twice"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.CreateChannel(ctx, b.owner, json.RawMessage(c.body))
			require.Equal(t, c.want, problems(t, err))
		})
	}
	_, err := b.PatchChannel(ctx, b.owner, v.ID, json.RawMessage(`{"fallback_channel_id":1}`), "")
	require.Equal(t, []string{"fallback_channel_id must not be the channel itself"}, problems(t, err))
	_, err = b.PatchChannel(ctx, b.owner, v.ID, json.RawMessage(`{"type":"chat"}`), "")
	require.Contains(t, problems(t, err), "type cannot change; it is webhook")
}

func TestChannelTestSendsTwoMessages(t *testing.T) {
	t.Parallel()
	b, ctx := setup(t), context.Background()
	v := b.channel(t, `{"name":"Hook","type":"webhook","settings":{"url":"https://u:hunter2@example.com"}}`)
	view, err := b.TestChannel(ctx, b.owner, v.ID)
	require.NoError(t, err)
	code := 200
	require.Equal(t, manage.ChannelTestView{OK: true, Attempts: []manage.TestAttemptView{
		{Type: uptime.EventOpened, StatusCode: &code, DurationMS: 12, Answer: "ok"},
		{Type: uptime.EventResolved, StatusCode: &code, DurationMS: 12, Answer: "ok"},
	}}, view)
	require.Len(t, b.sender.messages, 2)
	require.Equal(t, uptime.EventTest, b.sender.messages[0].Type)
	require.Equal(t, uptime.EventOpened, b.sender.messages[0].TestOf)
	require.NotEqual(t, b.sender.messages[0].ID, b.sender.messages[1].ID)
	require.Equal(t, []string{"channel.test"}, b.audits.actions())

	b.sender.err = &uptime.SendError{Reason: "the server answered 401", StatusCode: 401}
	view, err = b.TestChannel(ctx, b.owner, v.ID)
	require.NoError(t, err)
	require.False(t, view.OK)
	require.Equal(t, "the server answered 401", view.Attempts[0].Error)
}
