package store

import (
	"slices"

	"monitor/modules/uptime"
)

// The codes below stand in the database: a position is never given another
// meaning, and new words go at the end.

// statusCodes: position is the code.
func statusCodes() []uptime.Status {
	return []uptime.Status{
		uptime.Pending, uptime.Up, uptime.Degraded, uptime.Down,
		uptime.Unknown, uptime.Paused, uptime.Maintenance,
	}
}

func kindCodes() []uptime.ErrorKind {
	return []uptime.ErrorKind{
		"", uptime.KindTimeout, uptime.KindDNS, uptime.KindConnectRefused, uptime.KindConnect,
		uptime.KindTLS, uptime.KindCertificate, uptime.KindStatus, uptime.KindKeyword,
		uptime.KindAssertion, uptime.KindProtocol, uptime.KindBodyTooLarge, uptime.KindRedirects,
		uptime.KindNoHeartbeat, uptime.KindInternal, uptime.KindBlocked, uptime.KindNetwork,
	}
}

func reasonCodes() []uptime.MissedReason {
	return []uptime.MissedReason{
		"", uptime.MissedStale, uptime.MissedFailover, uptime.MissedStopped,
		uptime.MissedLost, uptime.MissedOverload,
	}
}

const (
	codePending  = 0
	codeUp       = 1
	codeDegraded = 2
	codeDown     = 3
	codeUnknown  = 4
	codePaused   = 5
)

// statusCode of a word; an unknown one is unknown: never up, never down.
func statusCode(s uptime.Status) int16 {
	if i := slices.Index(statusCodes(), s); i >= 0 {
		return int16(i) //nolint:gosec // a handful of words
	}
	return codeUnknown
}

func statusOf(code int16) uptime.Status { return word(statusCodes(), code, uptime.Unknown) }

// kindCode of a word; one that this version does not know is kept as internal.
func kindCode(k uptime.ErrorKind) int16 {
	return int16(max(0, index(kindCodes(), k, uptime.KindInternal))) //nolint:gosec // a handful of words
}

func kindOf(code int16) uptime.ErrorKind { return word(kindCodes(), code, uptime.KindInternal) }

func reasonCode(r uptime.MissedReason) int16 {
	return int16(max(0, index(reasonCodes(), r, uptime.MissedLost))) //nolint:gosec // a handful of words
}

func reasonOf(code int16) uptime.MissedReason { return word(reasonCodes(), code, uptime.MissedLost) }

func index[T comparable](words []T, w, other T) int {
	if i := slices.Index(words, w); i >= 0 {
		return i
	}
	return slices.Index(words, other)
}

func word[T any](words []T, code int16, other T) T {
	if code < 0 || int(code) >= len(words) {
		return other // written by a newer version
	}
	return words[code]
}
