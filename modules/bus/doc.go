// Package bus implements uptime.Bus: notices that something changed, to every
// process. A notice is a hint: whoever hears it reads the store.
//
// # On Redis
//
//		Publish ──▶ own subscribers (a Memory)
//		   └──────▶ PUBLISH topic ──▶ one connection of each process that
//		                              subscribes to the topic ──▶ its Memory ──▶ subscribers
//
//	  - A process's own notices reach its own subscribers without Redis, and its echo
//	    is dropped by the sender's name in the message: Redis being away never breaks
//	    a single process.
//	  - One Pub/Sub channel for each topic, one message for each topic and Publish.
//	    Only processes with a subscriber of a topic are sent its messages.
//	  - A process's notices of one topic keep their order. Those of different topics
//	    may overtake each other on their way to another process.
//	  - Subscribe returns when the server has confirmed its topics, or else after
//	    Patience, or at once where Redis is known to be away.
//
// # Failures
//
// What others published while a process was not connected is lost to it. As soon
// as it is subscribed again its subscribers get the resync notice (Topic "").
// What a process could not publish is lost to the others: it sends nothing more
// until Redis answers, and then first the word that something is missing, which is
// a resync to their subscribers of that topic.
package bus
