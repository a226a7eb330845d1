package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"monitor/modules/uptime"
)

// A sealed value is "s1:" + key id + ":" + base64url(nonce, ciphertext, tag).
const (
	sealPrefix = "s1:"
	nonceSize  = 12
	tagSize    = 16
)

// ErrSealed says that a sealed value cannot be opened.
var ErrSealed = errors.New("sealed value cannot be opened")

var _ uptime.Sealer = (*Sealer)(nil)

// Sealer seals by AES-256-GCM and binds each value to its place as additional
// data: moved to another row or field, it does not open.
type Sealer struct {
	current string
	aeads   map[string]cipher.AEAD
}

// NewSealer seals with the current key and opens with all.
func NewSealer(keys Keys) (*Sealer, error) {
	s := &Sealer{current: keys.current.id, aeads: map[string]cipher.AEAD{}}
	for id, set := range keys.byID {
		block, err := aes.NewCipher(set.seal)
		if err != nil {
			return nil, fmt.Errorf("make cipher: %w", err)
		}
		if s.aeads[id], err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("make cipher: %w", err)
		}
	}
	return s, nil
}

// Seal encrypts the secret for its place.
func (s *Sealer) Seal(place uptime.SecretPlace, secret string) (string, error) {
	return s.SealBy(s.current, place, secret)
}

// SealBy is Seal by another key than the current one.
func (s *Sealer) SealBy(id string, place uptime.SecretPlace, secret string) (string, error) {
	aead, ok := s.aeads[id]
	if !ok {
		return "", errors.New("seal secret: there is no key")
	}
	nonce := make([]byte, nonceSize)
	if _, err := rand.Read(nonce); err != nil {
		return "", fmt.Errorf("seal secret: %w", err)
	}
	box := aead.Seal(nonce, nonce, []byte(secret), additional(place))
	return sealPrefix + id + ":" + base64.RawURLEncoding.EncodeToString(box), nil
}

// Open decrypts; ErrSealed when the value is none, was moved or tampered with,
// or its key is gone.
func (s *Sealer) Open(place uptime.SecretPlace, sealed string) (string, error) {
	id, box, ok := parseSealed(sealed)
	if !ok && place.Plain && !strings.HasPrefix(sealed, sealPrefix) {
		return sealed, nil
	}
	if !ok {
		return "", fmt.Errorf("%w: it is not one", ErrSealed)
	}
	aead, known := s.aeads[id]
	if !known {
		return "", fmt.Errorf("%w: its key %s is neither auth.secret nor in auth.previous_secrets", ErrSealed, id)
	}
	secret, err := aead.Open(nil, box[:nonceSize], box[nonceSize:], additional(place))
	if err != nil {
		return "", fmt.Errorf("%w: it was changed or belongs elsewhere", ErrSealed)
	}
	return string(secret), nil
}

// Known are the ids of all keys, the one that new values are sealed by first.
func (s *Sealer) Known() []string {
	others := maps.Clone(s.aeads)
	delete(others, s.current)
	return append([]string{s.current}, slices.Sorted(maps.Keys(others))...)
}

// KeyOf gives the id of the key that a value was sealed by, known or not; false where
// the value is not sealed.
func (s *Sealer) KeyOf(value string) (id string, ok bool) {
	id, _, ok = parseSealed(value)
	return id, ok
}

// IsSealed reports whether the value looks like a sealed one.
func IsSealed(value string) bool {
	_, _, ok := parseSealed(value)
	return ok
}

// sealedIn finds sealed values in a longer text; in a URL their colons are escaped.
var sealedIn = regexp.MustCompile(`\bs1(?::|%3A)([0-9a-f]{16})(?::|%3A)`)

// KeysIn gives the ids of the keys that values in a text were sealed by.
func (s *Sealer) KeysIn(text string) []string { return KeysIn(text) }

// KeysIn gives the ids of the keys that values in a text were sealed by.
func KeysIn(text string) []string {
	var ids []string
	for _, m := range sealedIn.FindAllStringSubmatch(text, -1) {
		ids = append(ids, m[1])
	}
	return ids
}

func parseSealed(value string) (id string, box []byte, ok bool) {
	rest, ok := strings.CutPrefix(value, sealPrefix)
	if !ok {
		return "", nil, false
	}
	id, encoded, ok := strings.Cut(rest, ":")
	if !ok || len(id) != 16 {
		return "", nil, false
	}
	box, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(box) < nonceSize+tagSize {
		return "", nil, false
	}
	return id, box, true
}

// additional writes the place with the length of each part before it, so that
// no two places give the same bytes.
func additional(place uptime.SecretPlace) []byte {
	out := binary.BigEndian.AppendUint64(nil, uint64(place.WorkspaceID)) //nolint:gosec // its bits, not its value
	for _, part := range []string{place.Table, place.RowKey, place.Field} {
		out = binary.AppendUvarint(out, uint64(len(part)))
		out = append(out, part...)
	}
	return out
}
