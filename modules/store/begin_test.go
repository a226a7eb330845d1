package store_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/store"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// TestBeginTogether: processes that start at the same moment on an empty
// database make each thing once.
func TestBeginTogether(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	const processes, each = 3, 5
	b := beginning{slot: time.Now().UTC().Truncate(time.Second)}
	errs := make([]error, processes*each)
	var wg sync.WaitGroup
	for p := range processes {
		s, err := store.Open(t.Context(), store.Options{Config: store.Config{URL: address}})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.Close()) })
		wg.Go(func() {
			err := s.Migrate(t.Context())
			var calls sync.WaitGroup
			for n := range each {
				calls.Go(func() { errs[p*each+n] = errors.Join(err, b.run(t.Context(), s)) })
			}
			calls.Wait()
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	require.EqualValues(t, 1, b.owners.Load())
	require.EqualValues(t, 1, b.firsts.Load())
	var workspaces, users, results int
	require.NoError(t, administer(t, address).QueryRow(t.Context(), `SELECT (SELECT count(*) FROM workspaces),
		(SELECT count(*) FROM users), (SELECT count(*) FROM check_results)`).Scan(&workspaces, &users, &results))
	require.Equal(t, []int{1, 1, 0}, []int{workspaces, users, results})
}

// beginning counts who was first.
type beginning struct {
	slot           time.Time
	owners, firsts atomic.Int64
}

func (b *beginning) run(ctx context.Context, s *store.Store) error {
	_, workspace := s.EnsureWorkspace(ctx, "Home")
	partitions := s.EnsurePartitions(ctx, 2)
	_, owner := s.CreateFirstOwner(ctx, uptime.User{Email: rand.Text() + "@example.org", Name: "O"}, uptime.Workspace{}, nil)
	switch {
	case owner == nil:
		b.owners.Add(1)
	case errors.Is(owner, uptime.ErrConflict):
		owner = nil
	}
	key := uptime.IdempotencyKey{Actor: uptime.ActorKey{UserID: 1}, Key: "k", BodyHash: "b"}
	_, first := s.BeginIdempotent(ctx, key, time.Hour)
	switch {
	case first == nil:
		b.firsts.Add(1)
	case uptime.CodeOf(first) == uptime.CodeConflict:
		first = nil
	}
	_, region := s.Record(ctx, []uptime.Result{{MonitorID: 1, Region: "east", ScheduledAt: b.slot, StartedAt: b.slot, Attempt: 1}}, uptime.Judge(rand.Text))
	return errors.Join(workspace, partitions, owner, first, region)
}

// TestDeliverWhileKilled: two notifiers share an outbox whose sessions are ended
// at random: every delivery is sent, and sent again only where an answer of the
// database was lost.
func TestDeliverWhileKilled(t *testing.T) {
	t.Parallel()
	address := testenv.Postgres(t)
	open := onOne(address)
	notifiers := []*notifying{{store: open(t, store.Options{})}, {store: open(t, store.Options{})}}
	const channels, events = 4, 40
	s := notifiers[0].store
	ws, err := s.EnsureWorkspace(t.Context(), "Home")
	require.NoError(t, err)
	var ids []int64
	for i := range channels {
		c, err := s.CreateChannel(t.Context(), uptime.Channel{
			WorkspaceID: ws.ID, RowKey: rand.Text(), Name: fmt.Sprint(i), Type: "webhook", Enabled: true, Settings: []byte("{}"),
		}, nil)
		require.NoError(t, err)
		ids = append(ids, c.ID)
	}
	for i := range events {
		_, err := s.RaiseAlarm(t.Context(), uptime.Alarm{WorkspaceID: ws.ID, Kind: "clock", Subject: fmt.Sprint(i), Every: time.Hour, ChannelIDs: ids})
		require.NoError(t, err)
	}
	depth, err := s.Outbox(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, channels*events, depth.Due)

	stop := endSessions(t, address)
	var wg sync.WaitGroup
	for _, n := range notifiers {
		wg.Go(func() { n.err = n.run(t.Context()) })
	}
	wg.Wait()
	killed, sent, lost := stop(), 0, 0
	for _, n := range notifiers {
		require.NoError(t, n.err)
		sent, lost = sent+n.sent, lost+n.lost
	}
	t.Logf("%d sessions ended, %d sent of %d, %d lost", killed, sent, channels*events, lost)
	require.GreaterOrEqual(t, sent, channels*events)
	require.LessOrEqual(t, sent, channels*events+lost)
	list, err := s.Deliveries(t.Context(), ws.ID, uptime.DeliveryFilter{Status: uptime.DeliveryDelivered}, uptime.Page{Limit: 200})
	require.NoError(t, err)
	require.Len(t, list.Items, channels*events)
}

// notifying delivers what is due until nothing is left.
type notifying struct {
	store *store.Store
	sent  int
	lost  int // claims whose end did not count
	err   error
}

func (n *notifying) run(ctx context.Context) error {
	for {
		depth, err := n.store.Outbox(ctx)
		if err == nil && depth.Due+depth.Waiting == 0 {
			return nil
		}
		claims, err := n.store.ClaimDeliveries(ctx, uptime.ClaimParams{Limit: 8, PerChannel: 4, Lease: 200 * time.Millisecond})
		if err != nil && !errors.Is(err, uptime.ErrUnavailable) {
			return err
		}
		for _, c := range claims {
			n.sent++
			if err := n.finish(ctx, c); err != nil {
				return err
			}
		}
	}
}

func (n *notifying) finish(ctx context.Context, c uptime.Claim) error {
	r := uptime.AttemptResult{Status: uptime.DeliveryDelivered, Attempt: uptime.Attempt{At: time.Now(), Outcome: uptime.AttemptOK, StatusCode: 200}}
	for {
		err := n.store.FinishDelivery(ctx, c, r)
		switch {
		case errors.Is(err, uptime.ErrStale): // the lease had ended
			n.lost++
			return nil
		case !errors.Is(err, uptime.ErrUnavailable):
			return err
		}
	}
}
