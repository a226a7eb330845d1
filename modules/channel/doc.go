// Package channel sends messages to the people and programs that are told of
// events: one file for each type of channel, joined in registry.go.
//
// A sender makes one attempt and says how it went; when to try again is the
// notifier's business. What every sender promises, and channeltest checks:
//
//   - It dials by the guarded dialer only and follows no redirect.
//   - It ends within the deadline of its context, and at once when that is
//     cancelled.
//   - The id of the event goes over the wire unchanged at every attempt, so that
//     a receiver can drop a repeat. The same event has the same body each time.
//   - A failure is a *uptime.SendError that says whether another attempt makes
//     sense. Neither it nor the answer's text holds a secret of the channel, also
//     where the endpoint repeats it.
//
// Gate keeps what endpoints have earned: a circuit breaker and a concurrency
// limit for each channel.
package channel
