package uptime

import "time"

// MaxPasskeys is how many one person may have.
const MaxPasskeys = 30

// RelyingParty is whom passkeys are made for (WebAuthn): the host of the pages, and the
// one origin that may ask for them.
type RelyingParty struct {
	ID     string // the host, without port
	Origin string // as browsers write it: scheme, host, and port where it is not the usual one
	Name   string // of the instance, for people
}

// Passkey is the public half of a key that logs a person in. The other half never leaves
// their authenticator (WebAuthn, discoverable credential).
type Passkey struct {
	ID             int64
	WorkspaceID    int64 // of its user
	UserID         int64
	Handle         []byte // names its user to authenticators; random, the same for all passkeys of a person
	Party          string // RelyingParty.ID that it was made for
	CredentialID   []byte
	PublicKey      []byte // COSE_Key; empty: of no passkey that is known
	SignCount      uint32 // signatures so far, as its authenticator counts; 0: it does not
	BackupEligible bool   // its provider may copy it between devices; never changes
	BackedUp       bool
	AAGUID         string // model of its authenticator, as a UUID
	Transports     []string
	Name           string
	CreatedAt      time.Time
	LastUsedAt     time.Time
}

// Cloned reports whether an answer with this count speaks of a second copy of the key:
// a counter that is used goes up with each signature (WebAuthn §7.2, step 22).
func (k Passkey) Cloned(count uint32) bool {
	return count <= k.SignCount && (count != 0 || k.SignCount != 0)
}

// UsedChallenge is one that an answer was taken for. None is taken twice.
type UsedChallenge struct {
	Hash   string    // SHA-256 of the challenge, hex
	EndsAt time.Time // no answer to it is taken from then on
}

// PasskeyUse is what a log-in by a passkey leaves on it.
type PasskeyUse struct {
	Challenge UsedChallenge
	SignCount uint32
	BackedUp  bool
	At        time.Time
}
