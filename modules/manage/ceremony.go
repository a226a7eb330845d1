package manage

import (
	"encoding/json"
	"fmt"
	"time"

	"monitor/modules/uptime"
)

// challengeFor is how long a browser may take to answer with a passkey.
const challengeFor = 5 * time.Minute

// The kinds of ceremonies: what is an answer to one is none to another.
const (
	ceremonyCreate = "create"
	ceremonyLogin  = "login"
	ceremonyFactor = "factor"
)

// ceremony is what the answer of a passkey is judged by. The browser that is asked keeps
// it, sealed, in a cookie; that its challenge was used up is in the database, where every
// process sees it.
type ceremony struct {
	Kind      string `json:"k"`
	Challenge string `json:"c"`
	Party     string `json:"r"`
	Origin    string `json:"o"`
	Workspace int64  `json:"w,omitempty"`
	User      int64  `json:"u,omitempty"` // whose passkey it is to be; 0: anybody's
	Proof     string `json:"p,omitempty"` // what the hash of the password hashes to: another one ends a new passkey
	Handle    []byte `json:"h,omitempty"` // of a new passkey
	Name      string `json:"n,omitempty"` // of a new passkey
	Until     int64  `json:"t"`           // Unix ms
}

// ceremonyPlace: a ceremony opens as nothing else, and nothing else as one.
func ceremonyPlace() uptime.SecretPlace {
	return uptime.SecretPlace{Table: "passkeys", Field: "challenge"}
}

func (m *Manage) newCeremony(c ceremony, party uptime.RelyingParty, options json.RawMessage) (Ceremony, error) {
	c.Party, c.Origin, c.Until = party.ID, party.Origin, m.deps.Clock().Add(challengeFor).UnixMilli()
	raw, err := json.Marshal(c)
	if err != nil {
		return Ceremony{}, fmt.Errorf("write the state of a passkey: %w", err)
	}
	sealed, err := m.deps.Sealer.Seal(ceremonyPlace(), string(raw))
	if err != nil {
		return Ceremony{}, fmt.Errorf("seal the state of a passkey: %w", err)
	}
	return Ceremony{Options: options, State: sealed}, nil
}

// openCeremony is not ok for what is none, of another kind or party, or has ended.
func (m *Manage) openCeremony(in PasskeyAnswer, kind string) (c ceremony, ok bool) {
	if len(in.State) > 2000 || len(in.Answer) > maxPasskeyAnswer {
		return c, false
	}
	raw, err := m.deps.Sealer.Open(ceremonyPlace(), in.State)
	if err != nil || json.Unmarshal([]byte(raw), &c) != nil {
		return c, false
	}
	return c, c.Kind == kind && c.Party == in.Party.ID && c.Origin == in.Party.Origin && m.deps.Clock().UnixMilli() < c.Until
}

// used is the challenge of a ceremony, used up.
func (m *Manage) used(c ceremony) uptime.UsedChallenge {
	return uptime.UsedChallenge{Hash: m.deps.Secrets.Hash("challenge:" + c.Challenge), EndsAt: time.UnixMilli(c.Until).UTC()}
}
