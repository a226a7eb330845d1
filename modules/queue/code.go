package queue

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"monitor/modules/uptime"
)

// jobVersion is the first byte of a job as it travels. The head behind it is the
// same in all versions, for scripts read it:
//
//	version 1 │ monitor id 8 │ slot 8 │ expiry 8 │ timeout 8 │ flags 1 │ attempt │ spec
//
// The id is a big-endian integer; slot, expiry and timeout are big-endian doubles
// in milliseconds, which hold whole ones exactly for 285,000 years. The attempt is a
// varint, and the spec is as uptime.Pack wrote it. The region is not in it: the
// stream says it.
const (
	jobVersion = 1
	jobHead    = 33
	jobRoom    = jobHead + 1 + binary.MaxVarintLen64 // what a job takes beside its spec
	nameFrom   = 1                                   // a job's name among its partition's: id and slot …
	nameTo     = 17                                  // … followed by the region
	flagByHand = 1
	// 2 was written by programs that told no settings from empty ones.
)

var errUnreadable = errors.New("a job that this program cannot read")

// message is a job as a queue takes it in, of a leader's slot or pushed.
type message struct {
	uptime.Slot
	attempt int
	byHand  bool
}

func ofSlot(s *uptime.Slot) message { return message{Slot: *s, attempt: 1} }

func ofJob(j *uptime.Job) message {
	return message{
		Slot:    uptime.Slot{MonitorID: j.MonitorID, Region: j.Region, At: j.ScheduledAt.UnixMilli(), Spec: uptime.Pack(j.Spec)},
		attempt: j.Attempt, byHand: j.ByHand,
	}
}

// expires is uptime.Job.Expires in Unix milliseconds.
func (m *message) expires(interval, timeout time.Duration) int64 {
	return m.At + max(interval, timeout).Milliseconds()
}

// appendJob writes a job behind b.
func appendJob(b []byte, m *message) []byte {
	interval, timeout := m.Spec.Limits()
	b = append(b, jobVersion)
	b = appendName(b, m.MonitorID, m.At)
	b = appendMillis(b, float64(m.expires(interval, timeout)))
	b = appendMillis(b, leaseMillis(timeout))
	var flags byte
	if m.byHand {
		flags |= flagByHand
	}
	b = append(b, flags)
	b = binary.AppendVarint(b, int64(m.attempt))
	return append(b, m.Spec...)
}

// appendName writes the job's monitor and slot as the head has them.
func appendName(b []byte, monitor, slot int64) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(monitor)) //nolint:gosec // the bits, read back as they were
	return appendMillis(b, float64(slot))
}

func appendMillis(b []byte, ms float64) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(ms))
}

// leaseMillis is a timeout as scripts reckon with it; a part of a millisecond
// counts whole.
func leaseMillis(timeout time.Duration) float64 {
	return math.Ceil(float64(timeout) / float64(time.Millisecond))
}

// readJob is the reverse of appendJob; errUnreadable for another version and for
// what is cut off. The job shares the memory of text.
func readJob(text, region string) (uptime.Job, error) {
	if len(text) <= jobHead || text[0] != jobVersion {
		return uptime.Job{}, errUnreadable
	}
	job := readHead(text, region)
	job.ByHand = text[jobHead]&flagByHand != 0
	rest := text[jobHead+1:]
	attempt, size := binary.Varint([]byte(rest[:min(len(rest), binary.MaxVarintLen64)]))
	if size <= 0 {
		return uptime.Job{}, errUnreadable
	}
	var err error
	if job.Spec, err = uptime.Packed(rest[size:]).Spec(); err != nil {
		return uptime.Job{}, errUnreadable
	}
	job.Attempt = int(attempt)
	return job, nil
}

// readHead gives monitor and slot alone, also of a job whose body cannot be read.
func readHead(text, region string) uptime.Job {
	job := uptime.Job{Region: region}
	if len(text) >= jobHead {
		name := []byte(text[nameFrom:nameTo])
		job.MonitorID = int64(binary.BigEndian.Uint64(name)) //nolint:gosec // as written
		slot := math.Float64frombits(binary.BigEndian.Uint64(name[8:]))
		job.ScheduledAt = time.UnixMilli(int64(slot)).UTC()
	}
	return job
}
