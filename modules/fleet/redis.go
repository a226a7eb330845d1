package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"monitor/modules/redisconn"
	"monitor/modules/uptime"
)

// Scripts stamp by the server's clock. Each works on the one hash.
const (
	// reportScript writes a member behind the time; a hash that nobody reports to
	// any more goes away.
	reportScript = `
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], (t[1] * 1000 + math.floor(t[2] / 1000)) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`
	// membersScript drops those that are gone.
	membersScript = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local all, out = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #all, 2 do
  local seen = tonumber(string.match(all[i + 1], '^(%d+) '))
  if not seen or now - seen > tonumber(ARGV[1]) then
    redis.call('HDEL', KEYS[1], all[i])
  else
    out[#out + 1] = all[i + 1]
  end
end
return out`
)

// RedisParams are what NewRedis needs; all are required.
type RedisParams struct {
	Conn *redisconn.Conn
	// Clock is this process's own, that of Conn.
	Clock uptime.Clock
	Log   *slog.Logger
}

// Redis is the fleet of many processes. It is safe for concurrent use.
type Redis struct {
	recent
	clock           uptime.Clock
	client          redis.UniversalClient
	report, members *redis.Script
}

var _ uptime.Recent = (*Redis)(nil)

// NewRedis makes the fleet on a connection. It asks nothing yet. Close it before
// the connection.
func NewRedis(p RedisParams) (*Redis, error) {
	if p.Conn == nil || p.Clock == nil || p.Log == nil {
		return nil, errors.New("make fleet: a dependency is missing")
	}
	f := &Redis{
		clock:  p.Clock,
		client: p.Conn.Client(redisconn.Purpose{Name: "fleet", Size: 2}),
		report: redis.NewScript(reportScript), members: redis.NewScript(membersScript),
	}
	f.begin(p)
	return f, nil
}

// record is a member as it is kept.
type record struct {
	Member
	// Age is how long it has run, in milliseconds: clocks differ, durations do not.
	Age int64 `json:"age"`
}

// Report says that the member runs, now. uptime.ErrUnavailable while Redis is
// away.
func (f *Redis) Report(ctx context.Context, m Member) error {
	if m.ID == "" {
		return errNoID
	}
	raw, err := json.Marshal(record{m, f.clock().Sub(m.StartedAt).Milliseconds()})
	if err != nil {
		return fmt.Errorf("write member: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, redisconn.Timeout)
	defer cancel()
	err = f.report.Run(ctx, f.client, []string{redisconn.FleetKey()}, m.ID, raw, (4 * Gone).Milliseconds()).Err()
	if err != nil {
		return fmt.Errorf("report to the fleet: %w", redisconn.Failure(ctx, err))
	}
	return nil
}

// Members gives those seen within Gone, the eldest first. uptime.ErrUnavailable
// while Redis is away.
func (f *Redis) Members(ctx context.Context) ([]Member, error) {
	ctx, cancel := context.WithTimeout(ctx, redisconn.Timeout)
	defer cancel()
	kept, err := f.members.Run(ctx, f.client, []string{redisconn.FleetKey()}, Gone.Milliseconds()).StringSlice()
	if err != nil {
		return nil, fmt.Errorf("read the fleet: %w", redisconn.Failure(ctx, err))
	}
	var out []Member
	for _, text := range kept {
		m, err := readMember(text)
		if err != nil {
			return nil, fmt.Errorf("read the fleet: %w", err)
		}
		out = append(out, m)
	}
	return inOrder(out), nil
}

func readMember(text string) (Member, error) {
	stamp, raw, _ := strings.Cut(text, " ")
	seen, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return Member{}, fmt.Errorf("read time of a member: %w", err)
	}
	var r record
	if err := json.Unmarshal([]byte(raw), &r); err != nil {
		return Member{}, fmt.Errorf("read member: %w", err)
	}
	r.SeenAt = time.UnixMilli(seen).UTC()
	r.StartedAt = r.SeenAt.Add(-time.Duration(r.Age) * time.Millisecond)
	return r.Member, nil
}

// Leave takes a member out; one that is not there is no error.
// uptime.ErrUnavailable while Redis is away: it is gone by itself after Gone.
func (f *Redis) Leave(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, redisconn.Timeout)
	defer cancel()
	if err := f.client.HDel(ctx, redisconn.FleetKey(), id).Err(); err != nil {
		return fmt.Errorf("leave the fleet: %w", redisconn.Failure(ctx, err))
	}
	return nil
}
