package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

// ticketFor is how long one may look for the device with the second factor.
const ticketFor = 10 * time.Minute

// ticket is a log-in to the web app whose password was right.
type ticket struct {
	Workspace int64  `json:"w"`
	User      int64  `json:"u"`
	Password  string `json:"p"` // what its hash hashes to: another password ends the ticket
	Remember  bool   `json:"r"`
	Until     int64  `json:"t"` // Unix ms
}

// ticketPlace: a ticket opens as nothing else, and nothing else as a ticket.
func ticketPlace() uptime.SecretPlace { return uptime.SecretPlace{Table: "log-in", Field: "ticket"} }

func (m *Manage) newTicket(user uptime.User, remember bool) (string, error) {
	raw, err := json.Marshal(ticket{
		Workspace: user.WorkspaceID, User: user.ID, Password: m.deps.Secrets.Hash(user.PasswordHash), Remember: remember,
		Until: m.deps.Clock().Add(ticketFor).UnixMilli(),
	})
	if err != nil {
		return "", fmt.Errorf("write ticket: %w", err)
	}
	sealed, err := m.deps.Sealer.Seal(ticketPlace(), string(raw))
	if err != nil {
		return "", fmt.Errorf("seal ticket: %w", err)
	}
	return sealed, nil
}

// LoginTicket ends a log-in to the web app that LoginSession gave a ticket for, by a
// one-time code or a recovery code. CodeUnauthorized: the code is wrong.
// CodeSecondFactor: the ticket is none or has ended, and the password is asked for again.
func (m *Manage) LoginTicket(ctx context.Context, sealed, code string, client Client) (Session, error) {
	t, user, err := m.ticketUser(ctx, sealed)
	if err != nil {
		return Session{}, err
	}
	if user.TOTPSecret != "" {
		if user, err = m.secondFactor(ctx, user, code, client); err != nil {
			return Session{}, err
		}
	}
	return m.newSession(ctx, user, t.Remember, client)
}

// ticketUser gives whose password was right. CodeSecondFactor: the ticket is none or has
// ended.
func (m *Manage) ticketUser(ctx context.Context, sealed string) (ticket, uptime.User, error) {
	over := uptime.Fail(uptime.CodeSecondFactor, "That took too long; log in again.")
	var t ticket
	if len(sealed) > 1000 {
		return t, uptime.User{}, over
	}
	raw, err := m.deps.Sealer.Open(ticketPlace(), sealed)
	if err != nil || json.Unmarshal([]byte(raw), &t) != nil || m.deps.Clock().UnixMilli() >= t.Until {
		return t, uptime.User{}, over
	}
	user, err := m.liveUser(ctx, t.Workspace, t.User)
	if uptime.CodeOf(err) == uptime.CodeUnauthorized {
		return t, uptime.User{}, over
	}
	if err != nil {
		return t, uptime.User{}, err
	}
	if m.deps.Secrets.Hash(user.PasswordHash) != t.Password {
		return t, uptime.User{}, over
	}
	return t, user, nil
}
