package auth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// MinSecretLength is the least length of a secret, in bytes.
const MinSecretLength = 32

// Keys are what is derived from the secret and its predecessors.
type Keys struct {
	current keySet
	byID    map[string]keySet // current and previous ones
}

// keySet is derived from one secret by HKDF-SHA256 (RFC 5869), a key for each
// purpose: none tells anything of another or of the secret.
type keySet struct {
	id     string // 16 hex digits, public
	jwt    []byte
	seal   []byte
	setup  []byte
	digest []byte
}

// NewKeys derives the keys of the secret in use and of those before it, each at
// least MinSecretLength long.
func NewKeys(secret string, previous []string) (Keys, error) {
	keys := Keys{byID: map[string]keySet{}}
	for i, s := range slices.Concat([]string{secret}, previous) {
		if len(s) < MinSecretLength {
			return Keys{}, fmt.Errorf("%s must have at least %d characters, it has %d", secretName(i), MinSecretLength, len(s))
		}
		set, err := derive(s)
		if err != nil {
			return Keys{}, fmt.Errorf("derive the keys of %s: %w", secretName(i), err)
		}
		if i == 0 {
			keys.current = set
		}
		keys.byID[set.id] = set
	}
	return keys, nil
}

// SetupToken is what a stranger needs to make the first owner. The same secret
// always gives the same one, in every process.
func (k Keys) SetupToken() string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(k.current.setup))
}

// Digest is the HMAC-SHA-256 of data in hex: it recognises what came before
// without letting anybody who reads it guess what that was.
func (k Keys) Digest(data []byte) string {
	mac := hmac.New(sha256.New, k.current.digest)
	mac.Write(data)
	return hex.EncodeToString(mac.Sum(nil))
}

// String hides the keys from logs.
func (k Keys) String() string { return "********" }

// GoString hides the keys from logs.
func (k Keys) GoString() string { return k.String() }

func secretName(i int) string {
	if i == 0 {
		return "auth.secret"
	}
	return fmt.Sprintf("auth.previous_secrets[%d]", i-1)
}

func derive(secret string) (keySet, error) {
	var set keySet
	id := make([]byte, 8)
	for _, out := range []struct {
		purpose string
		size    int
		key     *[]byte
	}{
		{"id", len(id), &id},
		{"jwt", 32, &set.jwt},
		{"seal", 32, &set.seal},
		{"setup", 15, &set.setup},
		{"digest", 32, &set.digest},
	} {
		key, err := hkdf.Key(sha256.New, []byte(secret), nil, "monitor/v1/"+out.purpose, out.size)
		if err != nil {
			return keySet{}, fmt.Errorf("derive the %s key: %w", out.purpose, err)
		}
		*out.key = key
	}
	set.id = hex.EncodeToString(id)
	return set, nil
}
