package uptime

import (
	"encoding/binary"
	"errors"
	"time"
)

// Packed is a Spec in one string: written once, when its monitor is read, and
// carried as it is by every job. A million monitors are held so, and a queue
// between processes sends these bytes on: whoever changes their order raises the
// version of the queue's jobs (queue.jobVersion).
//
//	workspace │ interval │ timeout │ of │ row key │ type │ settings
//
// Numbers are varints, intervals in nanoseconds and times in Unix milliseconds;
// texts have their length before them, but for the settings, which are the rest.
// Secrets in these are sealed. It is safe for concurrent use, as any string.
type Packed string

var errNotPacked = errors.New("what should be a packed spec is none")

// Pack writes a spec.
func Pack(s Spec) Packed {
	var room [512]byte // most fit: the string is all that is left behind
	b := room[:0]
	for _, n := range [...]int64{s.WorkspaceID, int64(s.Interval), int64(s.Timeout), s.Of.UnixMilli()} {
		b = binary.AppendVarint(b, n)
	}
	for _, text := range [...]string{s.RowKey, s.Type} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	return Packed(append(b, s.Settings...))
}

// Spec reads it. Its texts share the packed one's memory; its settings are a copy.
// No settings are nil. The error says that these bytes are no spec.
func (p Packed) Spec() (Spec, error) {
	r := unpacking{rest: string(p)}
	s := Spec{
		WorkspaceID: r.varint(), Interval: time.Duration(r.varint()), Timeout: time.Duration(r.varint()),
		Of: time.UnixMilli(r.varint()).UTC(), RowKey: r.text(), Type: r.text(),
	}
	if r.broken {
		return Spec{}, errNotPacked
	}
	if r.rest != "" {
		s.Settings = []byte(r.rest)
	}
	return s, nil
}

// Workspace gives the spec's WorkspaceID alone.
func (p Packed) Workspace() int64 {
	r := unpacking{rest: string(p)}
	return r.varint()
}

// Limits gives the spec's interval and timeout alone: what a queue must know.
func (p Packed) Limits() (interval, timeout time.Duration) {
	r := unpacking{rest: string(p)}
	r.varint()
	return time.Duration(r.varint()), time.Duration(r.varint())
}

// unpacking takes a packed spec apart. What it gives after it broke is nothing.
type unpacking struct {
	rest   string
	broken bool
}

func (r *unpacking) uvarint() uint64 {
	var n uint64
	for i := 0; i < len(r.rest) && i < binary.MaxVarintLen64; i++ {
		b := r.rest[i]
		n |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			r.rest = r.rest[i+1:]
			return n
		}
	}
	r.broken, r.rest = true, ""
	return 0
}

// varint undoes the zigzag of binary.AppendVarint.
func (r *unpacking) varint() int64 {
	n := r.uvarint()
	return int64(n>>1) ^ -int64(n&1)
}

func (r *unpacking) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.broken, r.rest = true, ""
		return ""
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}
