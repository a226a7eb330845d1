package recorder

import (
	"context"
	"errors"
	"slices"
	"time"

	"monitor/modules/uptime"
)

// hopeless is how many refusals without one success mean that the store is at
// fault and not a result. Finding one bad result in a full batch takes ten.
const hopeless = 40

// mostJudged bounds a transaction that judges, and with it how long the states of its
// monitors are locked: a start judges one result of every monitor, all within a second
// where they are due.
const mostJudged = 250

// away reports errors that say nothing of the batch.
func away(err error) bool {
	return errors.Is(err, uptime.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// search is the hunt for bad results in one batch.
type search struct {
	stored, refused int
	lone            []item // refused on their own
	cause           error  // of the last refusal
}

// commit stores a batch, what changes something first. left is what could not be
// stored and is to be tried again after a while; the error says why, nil when
// nothing is left.
func (r *Recorder) commit(ctx context.Context, batch []item) (left []item, err error) {
	n := slices.IndexFunc(batch, func(it item) bool { return !it.changed })
	if n < 0 {
		n = len(batch)
	}
	if left, err = r.judge(ctx, batch[:n]); err != nil {
		return append(left, batch[n:]...), err
	}
	others, err := r.advance(ctx, batch[n:])
	if err != nil {
		return append(left, others...), err
	}
	more, err := r.judge(ctx, others)
	return append(left, more...), err
}

// advance stores what need not be judged, and gives the rest.
func (r *Recorder) advance(ctx context.Context, batch []item) (rest []item, err error) {
	if len(batch) == 0 {
		return nil, nil
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	begun := time.Now()
	done, left, err := r.Store.Advance(limited, resultsOf(batch))
	switch {
	case err == nil:
	case away(err):
		r.count.failures.Add(1)
		return batch, err
	default: // judging finds out which one it is
		r.count.failures.Add(1)
		return batch, nil
	}
	slices.Sort(left)
	stored := make([]item, 0, len(batch)-len(left))
	for i, it := range batch {
		if _, found := slices.BinarySearch(left, i); found {
			rest = append(rest, it)
		} else {
			stored = append(stored, it)
		}
	}
	if len(stored) > 0 {
		r.follow(ctx, stored, done, time.Since(begun))
	}
	return rest, nil
}

// judge stores a batch that may change something; see commit.
func (r *Recorder) judge(ctx context.Context, batch []item) (left []item, err error) {
	for part := range slices.Chunk(batch, mostJudged) {
		if err != nil {
			left = append(left, part...)
			continue
		}
		left, err = r.judgePart(ctx, part)
	}
	return left, err
}

func (r *Recorder) judgePart(ctx context.Context, batch []item) (left []item, err error) {
	var s search
	left, err = r.try(ctx, batch, &s)
	if s.stored == 0 {
		// Nothing could be stored: that proves nothing against a single one.
		left = append(left, s.lone...)
		if err == nil && len(left) > 0 {
			err = s.cause
		}
		return left, err
	}
	for _, bad := range s.lone {
		r.drop(ctx, bad, s.cause)
	}
	return left, err
}

// try stores a batch, in halves where it is refused.
func (r *Recorder) try(ctx context.Context, batch []item, s *search) (left []item, err error) {
	err = r.record(ctx, batch)
	switch {
	case err == nil:
		s.stored++
		return nil, nil
	case away(err):
		return batch, err
	}
	s.cause = err
	if s.refused++; s.stored == 0 && s.refused >= hopeless {
		return batch, err
	}
	if len(batch) == 1 {
		s.lone = append(s.lone, batch[0])
		return nil, nil
	}
	half := len(batch) / 2
	if left, err = r.try(ctx, batch[:half], s); err != nil {
		return append(left, batch[half:]...), err
	}
	return r.try(ctx, batch[half:], s)
}

// drop gives up a result that the store refuses. Its job is acknowledged: run
// again, it would be refused again.
func (r *Recorder) drop(ctx context.Context, bad item, cause error) {
	r.count.poisoned.Add(1)
	r.after.ack(bad.receipt)
	r.Log.ErrorContext(ctx, "result cannot be stored", "error", cause,
		"monitor", bad.result.MonitorID, "region", bad.result.Region, "scheduled_at", bad.result.ScheduledAt)
}

// record makes one transaction and does what follows from it.
func (r *Recorder) record(ctx context.Context, batch []item) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	begun := time.Now()
	var offer uptime.ClaimParams
	if r.Courier != nil {
		offer = r.Courier.Offer()
	}
	recorded, err := r.Store.RecordAndClaim(limited, resultsOf(batch), r.Decide, offer)
	if offer.Limit > 0 { // first of all that follows a commit: alerts wait for it
		r.Courier.Take(ctx, offer, recorded.Claims)
	}
	if err != nil {
		r.count.failures.Add(1)
		return err
	}
	r.follow(ctx, batch, recorded, time.Since(begun))
	return nil
}

func resultsOf(batch []item) []uptime.Result {
	results := make([]uptime.Result, len(batch))
	for i, it := range batch {
		results[i] = it.result
	}
	return results
}

// follow does what follows from a transaction.
func (r *Recorder) follow(ctx context.Context, batch []item, recorded uptime.Recorded, took time.Duration) {
	r.count.batches.Add(1)
	r.count.stored.Add(uint64(max(recorded.Stored, 0)))
	r.count.dropped.Add(uint64(max(recorded.Dropped, 0)))
	if r.Observer != nil {
		r.Observer.Committed(len(batch), took, time.Since(oldest(batch)))
	}
	r.publish(ctx, recorded)
	for _, it := range batch {
		r.after.ack(it.receipt)
	}
	r.after.retry(recorded.Retries)
	r.settle(ctx)
}

func oldest(batch []item) time.Time {
	first := batch[0].at
	for _, it := range batch[1:] {
		if it.at.Before(first) {
			first = it.at
		}
	}
	return first
}

// publish comes next: alerts of other processes wait for it. A
// notice that is lost is no loss: whoever waits for it also looks by himself.
func (r *Recorder) publish(ctx context.Context, recorded uptime.Recorded) {
	notices := recorded.Notices
	told := func(n uptime.Notice) bool { return n.Topic == uptime.TopicOutbox }
	if recorded.Due && !slices.ContainsFunc(notices, told) {
		notices = append([]uptime.Notice{{Topic: uptime.TopicOutbox}}, notices...)
	}
	if len(notices) == 0 {
		return
	}
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := r.Bus.Publish(limited, notices...); err != nil {
		r.Log.DebugContext(ctx, "notices are lost", "error", err, "notices", len(notices))
	}
}
