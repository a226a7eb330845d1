// Package locktest is the conformance suite of uptime.Leader.
package locktest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// patience bounds every wait for something that must come.
const patience = 30 * time.Second

// errBroken is what a follow fails with in the suite.
var errBroken = errors.New("broken")

// Factory makes a function that gives contenders for one seat, each as if it
// were another process, with its own way to the database.
type Factory func(t *testing.T) func(epochs uptime.Epochs) uptime.Leader

// Run tests an implementation.
func Run(t *testing.T, fresh Factory) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Factory){
		"LeadsUntilTold":        leadsUntilTold,
		"PartsLeadTogether":     together,
		"LatePartJoins":         joins,
		"TermOutlivesAPart":     outlives,
		"OneLeaderAtATime":      oneAtATime,
		"StandbyTakesOver":      takesOver,
		"FailureHandsOver":      handsOver,
		"ReturnHandsOver":       returnHandsOver,
		"WithoutDatabase":       withoutDatabase,
		"WaitsForFollow":        waitsForFollow,
		"ContenderStopsWaiting": stopsWaiting,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, fresh)
		})
	}
}

// counter is the row of the database. It fails while away is set.
type counter struct {
	mu    sync.Mutex
	n     int64
	away  bool
	asked chan struct{} // told of each failed call, without waiting
}

func newCounter() *counter { return &counter{asked: make(chan struct{}, 1)} }

func (c *counter) RaiseEpoch(context.Context) (int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.away {
		select {
		case c.asked <- struct{}{}:
		default:
		}
		return 0, uptime.ErrUnavailable
	}
	c.n++
	return c.n, nil
}

func (c *counter) setAway(away bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = away
}

// part is one call of Lead. Its follow announces each term and then does what
// the test says.
type part struct {
	t     *testing.T
	terms chan int64
	end   chan error // makes follow return this
	stop  context.CancelFunc
	done  chan error
}

func run(t *testing.T, l uptime.Leader) *part {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	p := &part{t: t, terms: make(chan int64, 100), end: make(chan error), stop: cancel, done: make(chan error, 1)}
	go func() {
		p.done <- l.Lead(ctx, func(ctx context.Context, epoch int64) error {
			p.terms <- epoch
			select {
			case <-ctx.Done():
				return nil
			case err := <-p.end:
				return err
			}
		})
	}()
	t.Cleanup(cancel)
	return p
}

// leads waits for the part's next term.
func (p *part) leads() int64 {
	p.t.Helper()
	return receive(p.t, p.terms)
}

// quits stops the part and waits until Lead has returned.
func (p *part) quits() {
	p.t.Helper()
	p.stop()
	require.NoError(p.t, receive(p.t, p.done))
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case v := <-from:
		return v
	case <-timer.C:
		require.FailNow(t, "nothing came in time")
		panic("unreachable")
	}
}

func leadsUntilTold(t *testing.T, fresh Factory) {
	t.Helper()
	p := run(t, fresh(t)(newCounter()))
	require.Equal(t, int64(1), p.leads())
	p.quits()
	require.Empty(t, p.terms)
}

func together(t *testing.T, fresh Factory) {
	t.Helper()
	l := fresh(t)(newCounter())
	a, b := run(t, l), run(t, l)
	require.Equal(t, a.leads(), b.leads())
	a.quits()
	b.quits()
}

func joins(t *testing.T, fresh Factory) {
	t.Helper()
	l := fresh(t)(newCounter())
	a := run(t, l)
	epoch := a.leads()
	b := run(t, l)
	require.Equal(t, epoch, b.leads())
	b.quits()
	a.quits()
}

func outlives(t *testing.T, fresh Factory) {
	t.Helper()
	l := fresh(t)(newCounter())
	winner := run(t, l)
	epoch := winner.leads()
	b := run(t, l)
	b.leads()
	winner.quits()
	c := run(t, l)
	require.Equal(t, epoch, c.leads(), "the term goes on without the part that won it")
	b.quits()
	c.quits()
	d := run(t, l)
	require.Greater(t, d.leads(), epoch, "the term ended with its last part")
	d.quits()
}

func oneAtATime(t *testing.T, fresh Factory) {
	t.Helper()
	const contenders, terms = 4, 12
	contender := fresh(t)
	epochs := newCounter()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var mu sync.Mutex
	var leading, most int
	var seen []int64
	var all sync.WaitGroup
	for range contenders {
		all.Go(func() {
			for ctx.Err() == nil {
				own, quit := context.WithCancel(ctx)
				_ = contender(epochs).Lead(own, func(_ context.Context, epoch int64) error {
					mu.Lock()
					leading++
					most = max(most, leading)
					seen = append(seen, epoch)
					if len(seen) >= terms {
						cancel()
					}
					mu.Unlock()
					quit()
					mu.Lock()
					leading--
					mu.Unlock()
					return nil
				})
				quit()
			}
		})
	}
	all.Wait()
	require.Equal(t, 1, most)
	require.GreaterOrEqual(t, len(seen), terms)
	require.IsIncreasing(t, seen)
}

func takesOver(t *testing.T, fresh Factory) {
	t.Helper()
	contender := fresh(t)
	epochs := newCounter()
	a := run(t, contender(epochs))
	first := a.leads()
	b := run(t, contender(epochs))
	a.quits()
	require.Greater(t, b.leads(), first)
	b.quits()
}

func handsOver(t *testing.T, fresh Factory) {
	t.Helper()
	contender := fresh(t)
	epochs := newCounter()
	la, lb := contender(epochs), contender(epochs)
	a := run(t, la)
	first := a.leads()
	other := run(t, la)
	other.leads()
	b := run(t, lb)
	a.end <- errBroken
	second := b.leads()
	require.Greater(t, second, first)
	require.Empty(t, other.terms, "the process waits for its turn with all its parts")
	// The first one campaigns again: however often the second wins, its failures
	// let the other one have its turn.
	for third := int64(0); third == 0; {
		b.end <- errBroken
		select {
		case third = <-a.terms:
			require.Greater(t, third, second)
		case <-b.terms:
		case <-other.terms:
			third = a.leads()
		}
	}
	a.quits()
	other.quits()
	b.quits()
}

func returnHandsOver(t *testing.T, fresh Factory) {
	t.Helper()
	p := run(t, fresh(t)(newCounter()))
	first := p.leads()
	p.end <- nil
	require.Greater(t, p.leads(), first)
	p.quits()
}

func withoutDatabase(t *testing.T, fresh Factory) {
	t.Helper()
	contender := fresh(t)
	epochs := newCounter()
	epochs.setAway(true)
	a := run(t, contender(epochs))
	receive(t, epochs.asked)
	require.Empty(t, a.terms, "a win that cannot reach the database does not lead")
	b := run(t, contender(newCounter()))
	b.leads() // another process that reaches the database gets the seat
	b.quits()
	epochs.setAway(false)
	require.Equal(t, int64(1), a.leads())
	a.quits()
}

// waitsForFollow: nobody else leads while an old follow still works.
func waitsForFollow(t *testing.T, fresh Factory) {
	t.Helper()
	contender := fresh(t)
	epochs := newCounter()
	ctx, cancel := context.WithCancel(t.Context())
	began, ended, finish := signal(), signal(), signal()
	done := runOnce(ctx, contender(epochs), func(ctx context.Context, _ int64) error {
		close(began)
		<-ctx.Done()
		close(ended)
		<-finish
		return nil
	})
	receive(t, began)
	b := run(t, contender(epochs))
	cancel()
	receive(t, ended)
	require.Empty(t, b.terms)
	close(finish)
	require.NoError(t, receive(t, done))
	b.leads()
	b.quits()
}

func signal() chan struct{} { return make(chan struct{}) }

func runOnce(ctx context.Context, l uptime.Leader, follow func(context.Context, int64) error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- l.Lead(ctx, follow) }()
	return done
}

func stopsWaiting(t *testing.T, fresh Factory) {
	t.Helper()
	contender := fresh(t)
	epochs := newCounter()
	a := run(t, contender(epochs))
	a.leads()
	lb := contender(epochs)
	b, c := run(t, lb), run(t, lb)
	b.quits()
	c.quits()
	require.Empty(t, b.terms)
	require.Empty(t, c.terms)
	a.quits()
}
