// Package notifier delivers what the outbox holds: one delivery for each event
// and channel, written in the transaction of the change that they speak of.
//
//	                 claim (committed before anything is sent)
//	       ┌─────────┐ ──────────────────────▶ ┌─────────┐   2xx    ┌───────────┐
//	event ▶│ pending │                         │ sending │ ───────▶ │ delivered │
//	       └─────────┘ ◀────────────────────── └─────────┘          └───────────┘
//	            ▲        failed: next attempt    │     │  refused for good, or
//	            │        held back: released     │     │  72 h old   ┌──────┐
//	            └────────────────────────────────┘     └───────────▶ │ dead │──▶ alarm
//	              lease ended: the notifier died                     └──────┘
//
// # Promises
//
//   - The database is all there is: notices only make it fast. Any number of
//     notifiers claim side by side, without a leader.
//   - A recorder of the same process claims for this notifier while it writes, within
//     what Offer gave, and hands over by Take.
//   - An attempt has a number, which is committed before it is sent and under
//     which alone its result is committed. A notifier that dies in between costs
//     one number and, if the endpoint had answered, one repeat with the same id.
//   - Attempts follow Next until the delivery is 72 hours old. An endpoint's wish
//     (Retry-After) only ever puts the next one off, by an hour at most.
//   - A channel has at most channel.PerEndpoint messages on their way, and its
//     breaker holds it back when it is dead; what is held uses up no attempt. The
//     fuller this notifier, the fewer places one channel gets: others always find
//     one.
//   - A delivery that died raises an alarm for the channel's fallback or, without
//     one, all other channels of the workspace, once a day. An alarm of this kind
//     that dies itself raises none. The first message that comes through ends it.
//   - When its context ends it claims no more; what is on its way is finished within
//     Grace, what was claimed but not begun, by recorders too, is handed back.
package notifier
