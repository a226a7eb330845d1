package notifier

import (
	"sync"
	"time"

	"monitor/modules/uptime"
)

// Stats is what a notifier has done since its start.
type Stats struct {
	InFlight  int // attempts on their way
	Capacity  int
	Delivered int64
	Failed    int64 // attempts that will be made again
	Dead      int64
	Released  int64 // claims handed back: endpoint held, or the stop
	// AskedAt is when the outbox was asked last, and Err what it said if it
	// could not answer.
	AskedAt time.Time
	Err     error
}

// Stats tells what the notifier has done.
func (n *Notifier) Stats() Stats {
	n.board.mu.Lock()
	defer n.board.mu.Unlock()
	return n.board.stats
}

// board is what the attempts and the loop tell each other.
type board struct {
	mu       sync.Mutex
	stats    Stats
	reminded time.Time
	endAfter map[int64]time.Time // by channel: ask for the end of its alarm after this
}

func newBoard() board {
	return board{stats: Stats{Capacity: capacity}, endAfter: map[int64]time.Time{}}
}

func (b *board) asked(at time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.AskedAt, b.stats.Err = at, err
}

func (b *board) inFlight() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stats.InFlight
}

func (b *board) begun() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.InFlight++
}

func (b *board) ended() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.InFlight--
}

func (b *board) released() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stats.Released++
}

func (b *board) finished(status uptime.DeliveryStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch status {
	case uptime.DeliveryDelivered:
		b.stats.Delivered++
	case uptime.DeliveryDead:
		b.stats.Dead++
	default:
		b.stats.Failed++
	}
}

// mayRemind reports whether the last reminders are Poll ago.
func (b *board) mayRemind(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.reminded.IsZero() && now.Sub(b.reminded) < Poll {
		return false
	}
	b.reminded = now
	return true
}

// mayEnd reports whether the channel's alarm may be asked for now; if so, it
// may not again for every. 0 makes the next one go through.
func (b *board) mayEnd(channelID int64, now time.Time, every time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if every > 0 && now.Before(b.endAfter[channelID]) {
		return false
	}
	b.endAfter[channelID] = now.Add(every)
	return true
}

// silent observes nothing.
type silent struct{}

func (silent) Attempted(string, uptime.AttemptOutcome, time.Duration, time.Duration) {}
func (silent) Ended(string, uptime.DeliveryStatus)                                   {}
