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
//	version 1 │ monitor id 8 │ slot 8 │ expiry 8 │ timeout 8 │ body
//
// The id is a big-endian integer; slot, expiry and timeout are big-endian doubles
// in milliseconds, which hold whole ones exactly for 285,000 years. The region is
// not in it: the stream says it.
const (
	jobVersion  = 1
	jobHead     = 33
	jobRoom     = 90 // about what a job takes beside its texts
	nameFrom    = 1  // a job's name among its partition's: id and slot …
	nameTo      = 17 // … followed by the region
	flagByHand  = 1
	flagNoBlock = 2 // Settings are nil
)

var errUnreadable = errors.New("a job that this program cannot read")

// appendJob writes a job behind b.
func appendJob(b []byte, job *uptime.Job) []byte {
	b = append(b, jobVersion)
	b = appendName(b, job)
	b = appendMillis(b, float64(job.Expires().UnixMilli()))
	b = appendMillis(b, leaseMillis(job.Spec.Timeout))
	var flags byte
	if job.ByHand {
		flags |= flagByHand
	}
	if job.Spec.Settings == nil {
		flags |= flagNoBlock
	}
	b = append(b, flags)
	b = binary.AppendVarint(b, int64(job.Attempt))
	b = binary.AppendVarint(b, job.Spec.WorkspaceID)
	b = binary.AppendVarint(b, int64(job.Spec.Interval))
	b = binary.AppendVarint(b, int64(job.Spec.Timeout))
	b = binary.AppendVarint(b, job.Spec.Of.UnixMilli())
	b = appendText(b, job.Spec.RowKey)
	b = appendText(b, job.Spec.Type)
	return append(b, job.Spec.Settings...)
}

// appendName writes the job's monitor and slot as the head has them.
func appendName(b []byte, job *uptime.Job) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(job.MonitorID)) //nolint:gosec // the bits, read back as they were
	return appendMillis(b, float64(job.ScheduledAt.UnixMilli()))
}

func appendMillis(b []byte, ms float64) []byte {
	return binary.BigEndian.AppendUint64(b, math.Float64bits(ms))
}

// leaseMillis is a timeout as scripts reckon with it; a part of a millisecond
// counts whole.
func leaseMillis(timeout time.Duration) float64 {
	return math.Ceil(float64(timeout) / float64(time.Millisecond))
}

func appendText(b []byte, text string) []byte {
	b = binary.AppendUvarint(b, uint64(len(text)))
	return append(b, text...)
}

// readJob is the reverse of appendJob; errUnreadable for another version and for
// what is cut off.
func readJob(text, region string) (uptime.Job, error) {
	if len(text) <= jobHead || text[0] != jobVersion {
		return uptime.Job{}, errUnreadable
	}
	r := reader{rest: []byte(text)[1:]}
	job := uptime.Job{Region: region, MonitorID: int64(r.fixed()), ScheduledAt: millis(r.fixed())} //nolint:gosec // as written
	r.rest = r.rest[16:]
	flags := r.rest[0]
	r.rest = r.rest[1:]
	job.ByHand = flags&flagByHand != 0
	job.Attempt = int(r.varint())
	job.Spec.WorkspaceID = r.varint()
	job.Spec.Interval = time.Duration(r.varint())
	job.Spec.Timeout = time.Duration(r.varint())
	job.Spec.Of = time.UnixMilli(r.varint()).UTC()
	job.Spec.RowKey = r.text()
	job.Spec.Type = r.text()
	if flags&flagNoBlock == 0 {
		job.Spec.Settings = r.rest
	}
	if r.broken {
		return uptime.Job{}, errUnreadable
	}
	return job, nil
}

// readHead gives monitor and slot of a job whose body cannot be read.
func readHead(text, region string) uptime.Job {
	job := uptime.Job{Region: region}
	if len(text) >= jobHead {
		r := reader{rest: []byte(text)[1:]}
		job.MonitorID, job.ScheduledAt = int64(r.fixed()), millis(r.fixed()) //nolint:gosec // as written
	}
	return job
}

func millis(bits uint64) time.Time {
	return time.UnixMilli(int64(math.Float64frombits(bits))).UTC()
}

// reader takes a job's bytes apart. What it gives after it broke is nothing.
type reader struct {
	rest   []byte
	broken bool
}

func (r *reader) fixed() uint64 {
	n := binary.BigEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return n
}

func (r *reader) varint() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.broken, r.rest = true, nil
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) text() string {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 || n > uint64(len(r.rest)-size) { //nolint:gosec // size is at most the length
		r.broken, r.rest = true, nil
		return ""
	}
	text := string(r.rest[size : size+int(n)]) //nolint:gosec // not above the length
	r.rest = r.rest[size+int(n):]              //nolint:gosec // likewise
	return text
}
