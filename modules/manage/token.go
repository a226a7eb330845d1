package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"monitor/modules/uptime"
)

// shownPrefix is how much of an API token may be shown: "mon_" and 4 of its 52
// random characters.
const shownPrefix = len(apiTokenPrefix) + 4

const maxTokenName = 100

func tokenView(t uptime.APIToken) TokenView {
	return TokenView{
		ID: t.ID, UserID: t.UserID, Name: t.Name, Role: t.Role, Scopes: orEmpty(t.Scopes), Prefix: t.Prefix,
		ExpiresAt: timeOrNil(t.ExpiresAt), LastUsedAt: timeOrNil(t.LastUsedAt), CreatedAt: t.CreatedAt.UTC(),
	}
}

// Tokens lists the actor's API tokens, and those of others to who may manage
// them. A page may be short though it is not the last.
func (m *Manage) Tokens(ctx context.Context, actor uptime.Actor, p uptime.Page) (uptime.List[TokenView], error) {
	var none uptime.List[TokenView]
	if err := m.permit(actor, ReadSelf); err != nil {
		return none, err
	}
	p, err := page(p)
	if err != nil {
		return none, err
	}
	all := actor.Role.Includes(m.rules[ManageTokens].role)
	for {
		list, err := m.deps.Tokens.APITokens(ctx, actor.WorkspaceID, p)
		if err != nil {
			return none, err
		}
		if !all {
			list.Items = slices.DeleteFunc(slices.Clone(list.Items), func(t uptime.APIToken) bool { return t.UserID != actor.UserID })
		}
		// An empty page with more behind it would look like the end.
		if len(list.Items) > 0 || list.Next == "" {
			return mapList(list, tokenView), nil
		}
		p.Cursor = list.Next
	}
}

// CreateToken takes {"name","role","scopes","expires_at"}; without them the
// token has the actor's role, reads and writes, and never ends. It cannot do
// more than its maker. The answer alone holds the secret.
func (m *Manage) CreateToken(ctx context.Context, actor uptime.Actor, raw json.RawMessage) (TokenView, error) {
	if err := m.permit(actor, ManageOwnToken); err != nil {
		return TokenView{}, err
	}
	if actor.UserID == 0 {
		return TokenView{}, uptime.Fail(uptime.CodeForbidden, "An API token belongs to a user; log in as one.")
	}
	b, err := parseBody(raw)
	if err != nil {
		return TokenView{}, err
	}
	t := uptime.APIToken{WorkspaceID: actor.WorkspaceID, UserID: actor.UserID, Role: actor.Role}
	b.required("name", maxTokenName, &t.Name)
	if choice(b, "role", roles(), &t.Role) && !actor.Role.Includes(t.Role) {
		b.fail("role", "must not be above your own (%s)", actor.Role)
	}
	t.Scopes = readScopes(b, actor)
	if b.moment("expires_at", &t.ExpiresAt) && !t.ExpiresAt.After(m.deps.Clock()) {
		b.fail("expires_at", "must be in the future")
	}
	b.readOnly("id", "user_id", "prefix", "secret", "last_used_at", "created_at")
	if err := b.finish("an API token"); err != nil {
		return TokenView{}, err
	}
	secret, hash := m.deps.Secrets.New(apiTokenPrefix)
	t.Hash, t.Prefix = hash, secret[:shownPrefix]
	audit := m.audited(actor, "token.create", "token", 0)
	audit.Detail = detail(map[string]any{"name": t.Name, "role": t.Role, "scopes": t.Scopes})
	saved, err := m.deps.Tokens.CreateAPIToken(ctx, t, audit)
	if err != nil {
		return TokenView{}, err
	}
	view := tokenView(saved)
	view.Secret = secret
	return view, nil
}

func roles() []uptime.Role {
	return []uptime.Role{uptime.RoleOwner, uptime.RoleAdmin, uptime.RoleEditor, uptime.RoleViewer}
}

func readScopes(b *body, actor uptime.Actor) []string {
	known := []string{ScopeRead, ScopeWrite, ScopePush}
	scopes := []string{ScopeRead, ScopeWrite}
	if actor.Scopes != nil {
		scopes = actor.Scopes
	}
	var chosen []string
	given := b.list("scopes", 10, func(path string, raw json.RawMessage) {
		var scope string
		switch {
		case json.Unmarshal(raw, &scope) != nil || !slices.Contains(known, scope):
			b.fail(path, "must be one of %s", joined(known))
		case actor.Scopes != nil && !slices.Contains(actor.Scopes, scope):
			b.fail(path, "is not a scope of the token that you use")
		case !slices.Contains(chosen, scope):
			chosen = append(chosen, scope)
		}
	})
	switch {
	case !given:
		return scopes
	case len(chosen) == 0 && string(b.fields["scopes"]) == "[]":
		b.fail("scopes", "must have at least 1 entry")
	}
	return chosen
}

// DeleteToken revokes a token: the actor's own, or one of somebody else where
// they may. It ends at once.
func (m *Manage) DeleteToken(ctx context.Context, actor uptime.Actor, id int64) error {
	if err := m.permit(actor, ManageOwnToken); err != nil {
		return err
	}
	t, err := m.findToken(ctx, actor.WorkspaceID, id)
	if err != nil {
		return err
	}
	if t.UserID != actor.UserID {
		if m.permit(actor, ManageTokens) != nil {
			// That it exists is none of their business.
			return fmt.Errorf("API token %d: %w", id, uptime.ErrNotFound)
		}
	}
	audit := m.audited(actor, "token.delete", "token", id)
	audit.Detail = detail(map[string]any{"name": t.Name, "prefix": t.Prefix})
	if err := m.deps.Tokens.DeleteAPIToken(ctx, actor.WorkspaceID, id, audit); err != nil {
		return err
	}
	m.announce(ctx, notice(uptime.TopicAccess, actor.WorkspaceID, t.UserID))
	return nil
}
