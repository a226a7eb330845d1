package auth

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"fmt"
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
	keys, err := previousKeys(previous)
	if err != nil {
		return Keys{}, err
	}
	if keys.current, err = checked("auth.secret", secret); err != nil {
		return Keys{}, err
	}
	keys.byID[keys.current.id] = keys.current
	return keys, nil
}

// previousKeys are those of the secrets before the one in use, without it.
func previousKeys(previous []string) (Keys, error) {
	keys := Keys{byID: map[string]keySet{}}
	for i, s := range previous {
		set, err := checked(fmt.Sprintf("auth.previous_secrets[%d]", i), s)
		if err != nil {
			return Keys{}, err
		}
		keys.byID[set.id] = set
	}
	return keys, nil
}

// checked derives the keys of a secret of the settings.
func checked(name, secret string) (keySet, error) {
	if len(secret) < MinSecretLength {
		return keySet{}, fmt.Errorf("%s must have at least %d characters, it has %d", name, MinSecretLength, len(secret))
	}
	set, err := derive(secret)
	if err != nil {
		return keySet{}, fmt.Errorf("derive the keys of %s: %w", name, err)
	}
	return set, nil
}

// SetupToken is what a stranger needs to make the first owner. The same secret
// always gives the same one, in every process.
func (k Keys) SetupToken() string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(k.current.setup))
}

// ID is the public name of the key that is derived from the secret in use.
func (k Keys) ID() string { return k.current.id }

// Knows reports whether the secret in use or one before it gives the key of this id.
func (k Keys) Knows(id string) bool {
	_, known := k.byID[id]
	return known
}

// Digest is the HMAC-SHA-256 of data in hex: it recognises what came before
// without letting anybody who reads it guess what that was.
func (k Keys) Digest(data []byte) string { return k.current.digestOf(data) }

// OlderDigests are those of the secrets before the one in use: what came while one of
// them was in use is recognised, too.
func (k Keys) OlderDigests(data []byte) []string {
	var all []string
	for id, set := range k.byID {
		if id != k.current.id {
			all = append(all, set.digestOf(data))
		}
	}
	return all
}

func (s keySet) digestOf(data []byte) string {
	mac := hmac.New(sha256.New, s.digest)
	mac.Write(data)
	return hex.EncodeToString(mac.Sum(nil))
}

// String hides the keys from logs.
func (k Keys) String() string { return "********" }

// GoString hides the keys from logs.
func (k Keys) GoString() string { return k.String() }

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
