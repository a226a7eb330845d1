package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// ID gives 26 random characters of lower-case base32: at least 128 bits.
func ID() string { return strings.ToLower(rand.Text()) }

// Secrets makes opaque tokens: refresh tokens, API tokens, invitations. They are
// random enough that a plain hash of them may be stored.
type Secrets struct{}

// New gives prefix + 256 random bits in lower-case base32, and the hash to be
// stored of the whole.
func (s Secrets) New(prefix string) (secret, hash string) {
	raw := make([]byte, 32)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	secret = prefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))
	return secret, s.Hash(secret)
}

// Hash gives the SHA-256 of a token as 64 hex digits.
func (Secrets) Hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
