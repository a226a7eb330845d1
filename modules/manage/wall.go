package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// WallView is a wallboard: the worst monitors first, and nothing of what they check.
type WallView struct {
	Name  string // of the share, "" of one that is not shared
	Zone  string // of the workspace
	Tiles []uptime.Tile
	// Counts are of all monitors that it is of; those beyond the tiles are no worse.
	Counts Counts
}

// WallShareView is a link that shows a wallboard to whoever has it.
type WallShareView struct {
	ID         int64      `json:"id"`
	UserID     int64      `json:"user_id"`
	Name       string     `json:"name"`
	Tag        string     `json:"tag"`
	Group      string     `json:"group"`
	Prefix     string     `json:"prefix"`
	Secret     string     `json:"secret,omitempty"`
	ExpiresAt  *time.Time `json:"expires_at"` // null: never
	LastUsedAt *time.Time `json:"last_used_at"`
	CreatedAt  time.Time  `json:"created_at"`
}

const (
	// MaxTiles bounds a wallboard.
	MaxTiles        = 400
	wallPrefix      = "wall_"
	shownWall       = len(wallPrefix) + 4
	maxWallShares   = 100
	maxWallShareTag = 200
)

// wallRate is how many wrong links an address may try.
func wallRate() uptime.Rate { return uptime.Rate{Limit: 30, Per: time.Minute} }

func wallShareView(w uptime.WallShare) WallShareView {
	return WallShareView{
		ID: w.ID, UserID: w.UserID, Name: w.Name, Tag: w.Tag, Group: w.Group, Prefix: w.Prefix,
		ExpiresAt: timeOrNil(w.ExpiresAt), LastUsedAt: timeOrNil(w.LastUsedAt), CreatedAt: w.CreatedAt.UTC(),
	}
}

// TagFilterOf reads a tag's name, or its name and value as team:web.
func TagFilterOf(text string) uptime.TagFilter {
	name, value, has := strings.Cut(text, ":")
	return uptime.TagFilter{Name: name, Value: value, HasValue: has}
}

func wallFilter(tag, group string) uptime.MonitorFilter {
	f := uptime.MonitorFilter{Group: group}
	if tag != "" {
		f.Tags = []uptime.TagFilter{TagFilterOf(tag)}
	}
	return f
}

// Wall gives the wallboard of a tag, a group, or of everything. CodeInvalid for a tag or
// group that cannot be used.
func (m *Manage) Wall(ctx context.Context, actor uptime.Actor, tag, group string) (WallView, error) {
	if err := m.permit(actor, Read); err != nil {
		return WallView{}, err
	}
	return m.wall(ctx, actor.WorkspaceID, wallFilter(tag, group))
}

func (m *Manage) wall(ctx context.Context, ws int64, f uptime.MonitorFilter) (WallView, error) {
	if err := m.checkFilter(f); err != nil {
		return WallView{}, err
	}
	workspace, err := m.deps.Workspaces.Workspace(ctx, ws)
	if err != nil {
		return WallView{}, fmt.Errorf("read workspace: %w", err)
	}
	tiles, err := m.deps.Finder.Tiles(ctx, ws, f, MaxTiles)
	if err != nil {
		return WallView{}, err
	}
	v := WallView{Zone: workspace.TimeZone, Tiles: tiles, Counts: Counts{}}
	if len(tiles) < MaxTiles {
		for _, t := range tiles {
			v.Counts[t.Status]++
		}
		return v, nil
	}
	counts, err := m.deps.Groups.StatusCountsOf(ctx, ws, f)
	v.Counts = Counts(counts)
	return v, err
}

// SharedWall gives the wallboard that a secret lets see: of its own workspace and filter
// alone. ErrNotFound for one that is unknown, revoked or ended; CodeLimited for who
// guesses.
func (m *Manage) SharedWall(ctx context.Context, secret string, client Client) (WallView, error) {
	key := "wall:" + uptime.Network(client.Address)
	if err := m.limit(ctx, key, wallRate()); err != nil {
		return WallView{}, err
	}
	gone := fmt.Errorf("wallboard: %w", uptime.ErrNotFound)
	if !strings.HasPrefix(secret, wallPrefix) || len(secret) > 200 {
		return WallView{}, gone
	}
	share, err := m.deps.WallShares.WallShareByHash(ctx, m.deps.Secrets.Hash(secret))
	if err != nil {
		return WallView{}, err
	}
	now := m.deps.Clock()
	if !share.ExpiresAt.IsZero() && !now.Before(share.ExpiresAt) {
		return WallView{}, gone
	}
	m.giveBack(ctx, key, wallRate())
	if now.Sub(share.LastUsedAt) >= time.Minute {
		if err := m.deps.WallShares.TouchWallShare(ctx, share.ID, now); err != nil {
			m.deps.Log.WarnContext(ctx, "note use of wall share", "wall_share_id", share.ID, "error", err)
		}
	}
	v, err := m.wall(ctx, share.WorkspaceID, wallFilter(share.Tag, share.Group))
	v.Name = share.Name
	return v, err
}

// WallShares lists the links of the workspace.
func (m *Manage) WallShares(ctx context.Context, actor uptime.Actor, p uptime.Page) (uptime.List[WallShareView], error) {
	var none uptime.List[WallShareView]
	if err := m.permit(actor, ReadWallShares); err != nil {
		return none, err
	}
	p, err := page(p)
	if err != nil {
		return none, err
	}
	list, err := m.deps.WallShares.WallShares(ctx, actor.WorkspaceID, p)
	if err != nil {
		return none, err
	}
	return mapList(list, wallShareView), nil
}

// CreateWallShare takes {"name","tag","group","expires_at"}; without tag and group it
// shows every monitor, without expires_at it never ends. The answer alone holds the
// secret.
func (m *Manage) CreateWallShare(ctx context.Context, actor uptime.Actor, raw json.RawMessage) (WallShareView, error) {
	if err := m.permit(actor, ShareWall); err != nil {
		return WallShareView{}, err
	}
	b, err := parseBody(raw)
	if err != nil {
		return WallShareView{}, err
	}
	w := uptime.WallShare{WorkspaceID: actor.WorkspaceID, UserID: actor.UserID}
	b.required("name", maxTokenName, &w.Name)
	if b.text("tag", maxWallShareTag, &w.Tag) && strings.HasPrefix(w.Tag, ":") {
		b.fail("tag", "must be a tag's name, or its name and value such as team:web")
	}
	b.text("group", maxWallShareTag, &w.Group)
	if b.moment("expires_at", &w.ExpiresAt) && !w.ExpiresAt.IsZero() && !w.ExpiresAt.After(m.deps.Clock()) {
		b.fail("expires_at", "must be in the future")
	}
	b.readOnly("id", "user_id", "prefix", "secret", "last_used_at", "created_at")
	if err := b.finish("a wallboard link"); err != nil {
		return WallShareView{}, err
	}
	secret, hash := m.deps.Secrets.New(wallPrefix)
	w.Hash, w.Prefix = hash, secret[:shownWall]
	audit := m.audited(actor, "wallboard.create", "wallboard", 0)
	audit.Detail = detail(map[string]any{"name": w.Name, "tag": w.Tag, "group": w.Group})
	saved, err := m.deps.WallShares.CreateWallShare(ctx, w, maxWallShares, audit)
	if err != nil {
		return WallShareView{}, tooManyShares(err)
	}
	view := wallShareView(saved)
	view.Secret = secret
	return view, nil
}

func tooManyShares(err error) error {
	if uptime.CodeOf(err) == uptime.CodeConflict {
		return uptime.Fail(uptime.CodeConflict, "There are %d wallboard links already; revoke one first.", maxWallShares)
	}
	return err
}

// DeleteWallShare revokes a link. It ends at once. ErrNotFound.
func (m *Manage) DeleteWallShare(ctx context.Context, actor uptime.Actor, id int64) error {
	if err := m.permit(actor, ShareWall); err != nil {
		return err
	}
	return m.deps.WallShares.DeleteWallShare(ctx, actor.WorkspaceID, id, m.audited(actor, "wallboard.delete", "wallboard", id))
}
