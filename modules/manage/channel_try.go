package manage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

// tryTimeout is that of every message.
const tryTimeout = 10 * time.Second

// TestChannel sends two messages of type test by the channel, in this process:
// one as if an incident opened and one as if it was resolved. Neither is a
// delivery; a line of the audit log is written.
func (m *Manage) TestChannel(ctx context.Context, actor uptime.Actor, id int64) (ChannelTestView, error) {
	if err := m.permit(actor, ChangeChannel); err != nil {
		return ChannelTestView{}, err
	}
	channel, err := m.deps.Channels.Channel(ctx, actor.WorkspaceID, id)
	if err != nil {
		return ChannelTestView{}, err
	}
	kind, ok := m.deps.ChannelKinds.Kind(channel.Type)
	if !ok {
		return ChannelTestView{}, uptime.Fail(uptime.CodeConflict, "This program has no channels of type %s.", channel.Type)
	}
	if channel.Settings, err = OpenSettings(m.deps.Sealer, kind, channelPlace(channel), channel.Settings); err != nil {
		return ChannelTestView{}, &uptime.Error{Code: uptime.CodeConflict, Detail: "A secret of this channel cannot be opened; enter it again.", Err: err}
	}
	done, err := m.testTurn(ctx)
	if err != nil {
		return ChannelTestView{}, err
	}
	defer done()
	if err := m.deps.AuditLog.WriteAudit(ctx, *m.audited(actor, "channel.test", "channel", id)); err != nil {
		return ChannelTestView{}, fmt.Errorf("write audit log: %w", err)
	}
	view := ChannelTestView{OK: true, Attempts: []TestAttemptView{}}
	for _, message := range m.testMessages(actor.WorkspaceID) {
		attempt := m.try(ctx, channel, message)
		view.OK = view.OK && attempt.Error == ""
		view.Attempts = append(view.Attempts, attempt)
	}
	return view, nil
}

func (m *Manage) try(ctx context.Context, channel uptime.Channel, message uptime.Message) TestAttemptView {
	sending, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	answer, err := m.deps.Sender.Send(sending, channel, message)
	view := TestAttemptView{
		Type: message.TestOf, StatusCode: codeOrNil(answer.StatusCode), DurationMS: millis(answer.Duration),
		Answer: uptime.Clean(answer.Text, 1024),
	}
	if err != nil {
		view.Error = uptime.Say("the message could not be sent")
		if failure, ok := errors.AsType[*uptime.SendError](err); ok {
			view.Error = uptime.CleanLine(failure.Reason, 500)
			if view.StatusCode == nil {
				view.StatusCode = codeOrNil(failure.StatusCode)
			}
		}
		if view.Error == "" {
			view.Error = uptime.Say("the message could not be sent")
		}
	}
	return view
}

// testMessages tell of an incident that never was.
func (m *Manage) testMessages(ws int64) []uptime.Message {
	now := m.deps.Clock().Truncate(time.Millisecond)
	started := now.Add(-2 * time.Minute)
	monitor := uptime.Monitor{WorkspaceID: ws, Name: "Test monitor", Type: "test", Target: "https://example.com", Tags: map[string]string{}}
	open := uptime.Incident{
		WorkspaceID: ws, Title: "Test monitor is down", Status: uptime.IncidentOpen, StartedAt: started,
		Cause: "This is a test: nothing is wrong.", ErrorKind: uptime.KindTimeout,
	}
	resolved := open
	resolved.Status, resolved.ResolvedAt = uptime.IncidentResolved, now
	failed := uptime.Result{Outcome: uptime.Outcome{Status: uptime.Down, ErrorKind: uptime.KindTimeout, Error: open.Cause, Response: 10 * time.Second}}
	fine := uptime.Result{Outcome: uptime.Outcome{Status: uptime.Up, Response: 87 * time.Millisecond, StatusCode: 200}}
	return []uptime.Message{
		m.testMessage(uptime.EventOpened, monitor, open, failed, now),
		m.testMessage(uptime.EventResolved, monitor, resolved, fine, now),
	}
}

func (m *Manage) testMessage(of uptime.EventType, mon uptime.Monitor, inc uptime.Incident, r uptime.Result, now time.Time) uptime.Message {
	event := uptime.NewEvent(m.deps.Random, uptime.EventTest, mon, &inc, &r, now)
	return uptime.Message{
		ID: event.ID, Type: uptime.EventTest, TestOf: of, Timestamp: now, Data: event.Data, Attempt: 1, AttemptAt: now,
	}
}
