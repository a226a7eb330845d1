package store

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
)

// span is the time [from, to) in Unix milliseconds.
type span struct{ from, to int64 }

// spans is a set of time: ascending, none empty, none touching the next.
type spans []span

// joined makes a set of spans in any order that may overlap or be empty. It
// reorders list.
func joined(list []span) spans {
	slices.SortFunc(list, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var out spans
	for _, s := range list {
		switch last := len(out) - 1; {
		case s.to <= s.from:
		case last >= 0 && s.from <= out[last].to:
			out[last].to = max(out[last].to, s.to)
		default:
			out = append(out, s)
		}
	}
	return out
}

// total time.
func (s spans) total() (ms int64) {
	for _, one := range s {
		ms += one.to - one.from
	}
	return ms
}

// and is the time that is in both sets.
func (s spans) and(other spans) spans {
	var out spans
	for i, j := 0, 0; i < len(s) && j < len(other); {
		a, b := s[i], other[j]
		if from, to := max(a.from, b.from), min(a.to, b.to); from < to {
			out = append(out, span{from, to})
		}
		if a.to < b.to {
			i++
		} else {
			j++
		}
	}
	return out
}

// less is the time of s that is not in the other set.
func (s spans) less(other spans) spans {
	if len(other) == 0 {
		return s
	}
	var out spans
	j := 0
	for _, a := range s {
		for j < len(other) && other[j].to <= a.from {
			j++
		}
		at := a.from
		for k := j; k < len(other) && other[k].from < a.to; k++ {
			if other[k].from > at {
				out = append(out, span{at, other[k].from})
			}
			at = max(at, other[k].to)
		}
		if at < a.to {
			out = append(out, span{at, a.to})
		}
	}
	return out
}

// within [from, to).
func (s spans) within(from, to int64) spans {
	if from >= to {
		return nil
	}
	return s.and(spans{{from, to}})
}

// pack writes a set that lies in [from, to) as pairs of varints: the time since
// the end of the one before, or from, and the length. Nothing and the whole are
// nil: their total tells them apart.
func (s spans) pack(from, to int64) []byte {
	if len(s) == 0 || s.total() == to-from {
		return nil
	}
	var out []byte
	last := from
	for _, one := range s {
		out = binary.AppendUvarint(out, uint64(one.from-last))   //nolint:gosec // ascending
		out = binary.AppendUvarint(out, uint64(one.to-one.from)) //nolint:gosec // not empty
		last = one.to
	}
	return out
}

var errSpans = errors.New("a stored span of time is damaged")

// unpackSpans of a set of so much time that was packed relative to from. Without
// its spans, what is not the whole is taken to lie at the beginning: so it is in
// rows from before spans were kept.
func unpackSpans(packed []byte, from, total int64) (spans, error) {
	if total <= 0 {
		return nil, nil
	}
	if len(packed) == 0 {
		return spans{{from, from + total}}, nil
	}
	var out spans
	for at := from; len(packed) > 0; {
		gap, n := binary.Uvarint(packed)
		if n <= 0 {
			return nil, errSpans
		}
		length, m := binary.Uvarint(packed[n:])
		if m <= 0 {
			return nil, errSpans
		}
		packed = packed[n+m:]
		start := at + int64(gap)   //nolint:gosec // below a day
		at = start + int64(length) //nolint:gosec // below a day
		out = append(out, span{start, at})
	}
	return out, nil
}
