package redisconn

import "strconv"

// prefix keeps our names apart from those of other programs on the same server.
const prefix = "monitor:"

// LockKey is the leader's lock.
func LockKey() string { return prefix + "leader" }

// FleetKey is a hash: one field for each running process.
func FleetKey() string { return prefix + "fleet" }

// RecentKey is there for a while after key's owner wrote.
func RecentKey(key string) string { return prefix + "recent:" + key }

// LimitKey is the state of one rate limit.
func LimitKey(key string) string { return prefix + "limit:" + key }

// Channel is the Pub/Sub channel of a topic. Pub/Sub knows no databases, so the
// number is part of the name: two installations on one server stay apart.
func (c *Conn) Channel(topic string) string {
	return prefix + "bus:" + strconv.Itoa(c.target.database) + ":" + topic
}

// Partition makes the keys of one partition of the queue. They share a hash tag,
// so that one script can change them all in a cluster.
type Partition int

func (p Partition) key(name string) string {
	return prefix + "{checks:" + strconv.Itoa(int(p)) + "}:" + name
}

// State is a hash: epoch, watermark, pace and what is left of its allowance.
func (p Partition) State() string { return p.key("state") }

// Held is a hash: one field for each job held, by its key, with its entry and how
// often it was handed out.
func (p Partition) Held() string { return p.key("held") }

// Regions is a set: the regions that have had jobs.
func (p Partition) Regions() string { return p.key("regions") }

// Ready is the stream of a region's jobs that may be taken.
func (p Partition) Ready(region string) string { return p.key("ready:" + region) }

// Delayed is a sorted set: jobs of a region that wait for their slot, by it.
func (p Partition) Delayed(region string) string { return p.key("delayed:" + region) }

// Late is a sorted set: the backlog of a region, by slot.
func (p Partition) Late(region string) string { return p.key("late:" + region) }

// Dying is a sorted set: the backlog of a region, by expiry.
func (p Partition) Dying(region string) string { return p.key("dying:" + region) }

// Gone is a sorted set: a region's jobs that are too old to be run, by slot.
func (p Partition) Gone(region string) string { return p.key("gone:" + region) }

// Leases is a sorted set: a region's jobs in workers' hands, by the end of their
// lease.
func (p Partition) Leases(region string) string { return p.key("leases:" + region) }
