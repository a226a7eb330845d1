package auth_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/stretchr/testify/require"

	"monitor/modules/auth"
	"monitor/modules/uptime"
)

// The bits of authenticator data (WebAuthn §6.1).
const (
	userPresent    = 1 << 0
	userVerified   = 1 << 2
	backupEligible = 1 << 3
	backedUp       = 1 << 4
	attested       = 1 << 6
)

// device is an authenticator and the browser before it, with one key (ES256).
type device struct {
	key    *ecdsa.PrivateKey
	id     []byte
	handle []byte
	flags  byte
	count  uint32
	origin string
	party  string // whose hash it signs
	cross  bool   // a frame within a page of another origin
	kind   string // of ceremony, "": the right one
}

func newDevice(t *testing.T) *device {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	return &device{key: key, id: id, flags: userPresent | userVerified, count: 1, origin: here().Origin, party: here().ID}
}

func here() uptime.RelyingParty {
	return uptime.RelyingParty{ID: "monitor.example.com", Origin: "https://monitor.example.com:8443", Name: "Acme monitoring"}
}

func encoded(raw []byte) string { return base64.RawURLEncoding.EncodeToString(raw) }

func (d *device) clientData(t *testing.T, kind, challenge string) []byte {
	t.Helper()
	if d.kind != "" {
		kind = d.kind
	}
	raw, err := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": d.origin, "crossOrigin": d.cross})
	require.NoError(t, err)
	return raw
}

func (d *device) data(flags byte) []byte {
	hash := sha256.Sum256([]byte(d.party))
	return binary.BigEndian.AppendUint32(append(hash[:], flags), d.count)
}

// create answers the options of a new passkey.
func (d *device) create(t *testing.T, options json.RawMessage) []byte {
	t.Helper()
	var asked struct {
		Challenge string
		User      struct{ ID string }
	}
	require.NoError(t, json.Unmarshal(options, &asked))
	var err error
	d.handle, err = base64.RawURLEncoding.DecodeString(asked.User.ID)
	require.NoError(t, err)
	point, err := d.key.PublicKey.Bytes()
	require.NoError(t, err)
	public, err := webauthncbor.Marshal(map[int]any{1: 2, 3: -7, -1: 1, -2: point[1:33], -3: point[33:]})
	require.NoError(t, err)
	data := slices.Concat(d.data(d.flags|attested), bytes.Repeat([]byte{0xab}, 16), binary.BigEndian.AppendUint16(nil, uint16(len(d.id))), d.id, public)
	object, err := webauthncbor.Marshal(map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": data})
	require.NoError(t, err)
	return d.answer(t, map[string]any{
		"clientDataJSON": encoded(d.clientData(t, "webauthn.create", asked.Challenge)), "attestationObject": encoded(object),
		"transports": []string{"internal", "hybrid"},
	})
}

// get answers the options of a log-in.
func (d *device) get(t *testing.T, options json.RawMessage) []byte {
	t.Helper()
	var asked struct{ Challenge string }
	require.NoError(t, json.Unmarshal(options, &asked))
	d.count++
	client, data := d.clientData(t, "webauthn.get", asked.Challenge), d.data(d.flags)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(append(slices.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, d.key, digest[:])
	require.NoError(t, err)
	return d.answer(t, map[string]any{
		"clientDataJSON": encoded(client), "authenticatorData": encoded(data), "signature": encoded(signature), "userHandle": encoded(d.handle),
	})
}

func (d *device) answer(t *testing.T, response map[string]any) []byte {
	t.Helper()
	raw, err := json.Marshal(map[string]any{
		"id": encoded(d.id), "rawId": encoded(d.id), "type": "public-key", "authenticatorAttachment": "platform",
		"clientExtensionResults": map[string]any{"credProps": map[string]any{"rk": true}}, "response": response,
	})
	require.NoError(t, err)
	return raw
}

func mia() uptime.User { return uptime.User{ID: 7, Email: "mia@example.com"} }

// enrol makes a passkey with the device.
func (d *device) enrol(t *testing.T, p *auth.Passkeys) uptime.Passkey {
	t.Helper()
	options, challenge, err := p.Creation(here(), mia(), []byte("handle of Mia"), nil)
	require.NoError(t, err)
	k, err := p.Created(here(), challenge, []byte("handle of Mia"), d.create(t, options))
	require.NoError(t, err)
	return k
}

func TestPasskey(t *testing.T) {
	t.Parallel()
	p, d := auth.NewPasskeys(), newDevice(t)
	d.flags |= backupEligible
	k := d.enrol(t, p)
	require.Equal(t, d.id, k.CredentialID)
	require.Equal(t, []byte("handle of Mia"), k.Handle)
	require.Equal(t, "monitor.example.com", k.Party)
	require.Equal(t, "abababab-abab-abab-abab-abababababab", k.AAGUID)
	require.Equal(t, []string{"internal", "hybrid"}, k.Transports)
	require.EqualValues(t, 1, k.SignCount)
	require.True(t, k.BackupEligible)
	require.False(t, k.BackedUp)

	for _, allow := range [][]uptime.Passkey{nil, {k}} {
		options, challenge, err := p.Request(here(), allow)
		require.NoError(t, err)
		d.flags |= backedUp
		answer := d.get(t, options)
		id, handle, err := p.Named(answer)
		require.NoError(t, err)
		require.Equal(t, d.id, id)
		require.Equal(t, d.handle, handle)
		use, err := p.Verify(here(), challenge, k, answer)
		require.NoError(t, err)
		require.Equal(t, d.count, use.SignCount)
		require.True(t, use.BackedUp)
		require.False(t, k.Cloned(use.SignCount))
	}
}

// TestPasskeyOptions: what is asked of browsers.
func TestPasskeyOptions(t *testing.T) {
	t.Parallel()
	p, d := auth.NewPasskeys(), newDevice(t)
	k := d.enrol(t, p)
	options, challenge, err := p.Creation(here(), mia(), []byte("handle of Mia"), []uptime.Passkey{k})
	require.NoError(t, err)
	var creation map[string]any
	require.NoError(t, json.Unmarshal(options, &creation))
	require.Equal(t, map[string]any{"id": "monitor.example.com", "name": "Acme monitoring"}, creation["rp"])
	require.Equal(t, map[string]any{"id": encoded([]byte("handle of Mia")), "name": "mia@example.com", "displayName": "mia@example.com"}, creation["user"])
	require.Equal(t, map[string]any{"requireResidentKey": true, "residentKey": "required", "userVerification": "required"}, creation["authenticatorSelection"])
	require.Equal(t, challenge, creation["challenge"])
	require.Equal(t, "none", creation["attestation"])
	require.Len(t, creation["excludeCredentials"], 1)
	raw, err := base64.RawURLEncoding.DecodeString(challenge)
	require.NoError(t, err)
	require.Len(t, raw, 32)

	options, other, err := p.Request(here(), nil)
	require.NoError(t, err)
	require.NotEqual(t, challenge, other)
	var request map[string]any
	require.NoError(t, json.Unmarshal(options, &request))
	require.Equal(t, map[string]any{"challenge": other, "rpId": "monitor.example.com", "userVerification": "required", "timeout": 300000.0}, request)
	options, _, err = p.Request(here(), []uptime.Passkey{k})
	require.NoError(t, err)
	require.Contains(t, string(options), `"allowCredentials":[{"type":"public-key","id":"`+encoded(k.CredentialID)+`","transports":["internal","hybrid"]}]`)

	for _, id := range []string{"", "192.0.2.1", "https://monitor.example.com", "monitor.example.com:8443"} {
		_, _, err = p.Request(uptime.RelyingParty{ID: id, Origin: "https://x.example", Name: "x"}, nil)
		require.Error(t, err, id)
	}
}

func TestNoPasskeyIsMade(t *testing.T) {
	t.Parallel()
	p := auth.NewPasskeys()
	for name, spoil := range map[string]func(d *device){
		"OtherOrigin":    func(d *device) { d.origin = "https://evil.example" },
		"OtherPort":      func(d *device) { d.origin = "https://monitor.example.com" },
		"PlainHTTP":      func(d *device) { d.origin = "http://monitor.example.com:8443" },
		"OtherParty":     func(d *device) { d.party = "example.com" },
		"NotVerified":    func(d *device) { d.flags = userPresent },
		"NotPresent":     func(d *device) { d.flags = userVerified },
		"InAFrame":       func(d *device) { d.cross = true },
		"OtherCeremony":  func(d *device) { d.kind = "webauthn.get" },
		"BackupOfNoKind": func(d *device) { d.flags |= backedUp },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDevice(t)
			spoil(d)
			options, challenge, err := p.Creation(here(), mia(), []byte("handle"), nil)
			require.NoError(t, err)
			_, err = p.Created(here(), challenge, []byte("handle"), d.create(t, options))
			require.Error(t, err)
			require.NotContains(t, err.Error(), challenge)
		})
	}
	options, _, err := p.Creation(here(), mia(), []byte("handle"), nil)
	require.NoError(t, err)
	_, other, err := p.Creation(here(), mia(), []byte("handle"), nil)
	require.NoError(t, err)
	for _, challenge := range []string{other, "", "AAAA"} {
		_, err = p.Created(here(), challenge, []byte("handle"), newDevice(t).create(t, options))
		require.Error(t, err, "another challenge")
	}
}

func TestNoPasskeyLogsIn(t *testing.T) {
	t.Parallel()
	p := auth.NewPasskeys()
	for name, spoil := range map[string]func(d *device, k *uptime.Passkey){
		"OtherOrigin":   func(d *device, _ *uptime.Passkey) { d.origin = "https://evil.example" },
		"OtherParty":    func(d *device, _ *uptime.Passkey) { d.party = "evil.example" },
		"NotVerified":   func(d *device, _ *uptime.Passkey) { d.flags = userPresent },
		"NotPresent":    func(d *device, _ *uptime.Passkey) { d.flags = userVerified },
		"InAFrame":      func(d *device, _ *uptime.Passkey) { d.cross = true },
		"OtherCeremony": func(d *device, _ *uptime.Passkey) { d.kind = "webauthn.create" },
		"OtherKind":     func(d *device, _ *uptime.Passkey) { d.flags |= backupEligible },
		"OtherPerson":   func(d *device, _ *uptime.Passkey) { d.handle = []byte("handle of Noa") },
		"OtherPasskey":  func(d *device, _ *uptime.Passkey) { d.id = bytes.Repeat([]byte{9}, 32) },
		"NotItsKey":     func(_ *device, k *uptime.Passkey) { k.PublicKey[len(k.PublicKey)-1] ^= 1 },
		"NoKey":         func(_ *device, k *uptime.Passkey) { k.PublicKey = nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDevice(t)
			k := d.enrol(t, p)
			spoil(d, &k)
			options, challenge, err := p.Request(here(), nil)
			require.NoError(t, err)
			_, err = p.Verify(here(), challenge, k, d.get(t, options))
			require.Error(t, err)
			require.NotContains(t, err.Error(), challenge)
		})
	}
}

// TestPasskeyAnswers: of a right answer nothing may change, and it is good for its own
// challenge alone.
func TestPasskeyAnswers(t *testing.T) {
	t.Parallel()
	p, d := auth.NewPasskeys(), newDevice(t)
	k := d.enrol(t, p)
	options, challenge, err := p.Request(here(), nil)
	require.NoError(t, err)
	right := d.get(t, options)
	_, err = p.Verify(here(), challenge, k, right)
	require.NoError(t, err)

	_, later, err := p.Request(here(), nil)
	require.NoError(t, err)
	for _, other := range []string{later, "", "AAAA"} {
		_, err = p.Verify(here(), other, k, right)
		require.Error(t, err, "replayed to another challenge")
	}
	for _, part := range []string{"signature", "authenticatorData", "clientDataJSON"} {
		var answer map[string]any
		require.NoError(t, json.Unmarshal(right, &answer))
		response := answer["response"].(map[string]any)
		raw, err := base64.RawURLEncoding.DecodeString(response[part].(string))
		require.NoError(t, err)
		raw[len(raw)-1] ^= 1
		response[part] = encoded(raw)
		spoilt, err := json.Marshal(answer)
		require.NoError(t, err)
		_, err = p.Verify(here(), challenge, k, spoilt)
		require.Error(t, err, part)
	}
	// What comes back with an old count is told by it; the store refuses it.
	d.count = 0
	use, err := p.Verify(here(), challenge, k, d.get(t, options))
	require.NoError(t, err)
	require.True(t, k.Cloned(use.SignCount))

	for _, bad := range []string{"", "{}", "null", "[]", `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`, string(right) + "x", string(right[:len(right)/2])} {
		_, _, err = p.Named([]byte(bad))
		require.Error(t, err, bad)
		_, err = p.Verify(here(), challenge, k, []byte(bad))
		require.Error(t, err, bad)
		_, err = p.Created(here(), challenge, []byte("handle"), []byte(bad))
		require.Error(t, err, bad)
	}
}
