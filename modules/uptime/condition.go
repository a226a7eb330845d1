package uptime

// Condition is something that is not as it should be with the program itself,
// in words for people: what goes on, what waits, what to do.
type Condition struct {
	Name   string // "redis": for programs
	Detail string
}

// The names of conditions.
const (
	ConditionDatabase  = "database"
	ConditionRedis     = "redis"
	ConditionScheduler = "scheduler"
	ConditionWorkers   = "workers"
	ConditionNotifiers = "notifiers"
	ConditionChannels  = "channels"
)

// ConditionNames lists them in the order in which they are said.
func ConditionNames() []string {
	return []string{ConditionDatabase, ConditionRedis, ConditionScheduler, ConditionWorkers, ConditionNotifiers, ConditionChannels}
}

// ConditionOf gives the condition of a name with THE words for it.
func ConditionOf(name string) Condition {
	c := Condition{Name: name}
	switch name {
	case ConditionDatabase:
		c.Detail = Say("The database does not answer: open pages show what they last knew, others cannot be read, and nothing can be changed. " +
			"Checks that are queued go on, and their results are stored once it is back. Look at the database server.")
	case ConditionRedis:
		c.Detail = Say("Redis does not answer: new checks wait until it is back, and the gap counts as no data, never as downtime. " +
			"Pages, the API and messages go on. Look at the Redis server.")
	case ConditionScheduler:
		c.Detail = Say("No scheduler is running: no new checks are planned, so states get old. " +
			"Pages, the API and messages go on. Start a process with the role scheduler.")
	case ConditionWorkers:
		c.Detail = Say("No worker is running: nothing is checked, so states get old, and the gap counts as no data, never as downtime. " +
			"Pages, the API and messages go on. Start a process with the role worker.")
	case ConditionNotifiers:
		c.Detail = Say("No notifier is running: checks go on, but nobody is told. " +
			"Messages wait and are sent once one runs. Start a process with the role notifier.")
	case ConditionChannels:
		c.Detail = Say("A mail server or webhook does not take messages: those of its channel wait and are tried again, other channels go on. " +
			"The page Channels says which one.")
	default:
		c.Detail = Say("Something that this program needs is away: %s.", name)
	}
	return c
}
