package auth

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"monitor/modules/uptime"
)

// passkeyTimeout is how long a browser is told to wait for its person.
const passkeyTimeout = 5 * time.Minute

// Passkeys speaks WebAuthn (Level 3) with browsers: discoverable credentials, which verify
// their person each time. Attestation is neither asked for nor trusted: any authenticator
// will do. Challenges are not kept here, nor is their end.
type Passkeys struct {
	decoy []byte // COSE_Key whose other half is gone
}

// NewPasskeys needs no closing.
func NewPasskeys() *Passkeys {
	key, _ := ecdh.P256().GenerateKey(rand.Reader) // never fails: crypto/rand ends the program instead
	point := key.PublicKey().Bytes()[1:]
	// {kty: EC2, alg: ES256, crv: P-256, x, y} in CBOR, as RFC 9053 §7.1.1 describes.
	decoy := slices.Concat([]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32}, point[:32], []byte{0x22, 0x58, 32}, point[32:])
	return &Passkeys{decoy: decoy}
}

// owner is whose passkeys they are, as the library wants to see them.
type owner struct {
	handle     []byte
	name, full string
	keys       []webauthn.Credential
}

// WebAuthnID implements webauthn.User.
func (o owner) WebAuthnID() []byte { return o.handle }

// WebAuthnName implements webauthn.User.
func (o owner) WebAuthnName() string { return o.name }

// WebAuthnDisplayName implements webauthn.User.
func (o owner) WebAuthnDisplayName() string { return o.full }

// WebAuthnCredentials implements webauthn.User.
func (o owner) WebAuthnCredentials() []webauthn.Credential { return o.keys }

func credentialOf(k uptime.Passkey) webauthn.Credential {
	c := webauthn.Credential{
		ID: k.CredentialID, PublicKey: k.PublicKey,
		Flags:         webauthn.CredentialFlags{UserPresent: true, UserVerified: true, BackupEligible: k.BackupEligible, BackupState: k.BackedUp},
		Authenticator: webauthn.Authenticator{SignCount: k.SignCount},
	}
	for _, t := range k.Transports {
		c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
	}
	return c
}

func engine(party uptime.RelyingParty) (*webauthn.WebAuthn, error) {
	wait := webauthn.TimeoutConfig{Timeout: passkeyTimeout}
	e, err := webauthn.New(&webauthn.Config{
		RPID: party.ID, RPDisplayName: party.Name, RPOrigins: []string{party.Origin},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: protocol.ResidentKeyRequired(), ResidentKey: protocol.ResidentKeyRequirementRequired,
			UserVerification: protocol.VerificationRequired,
		},
		Timeouts: webauthn.TimeoutsConfig{Login: wait, Registration: wait},
		// Some password managers tell what nobody asked for.
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
	if err != nil {
		return nil, fmt.Errorf("passkeys of %s: %w", party.ID, err)
	}
	return e, nil
}

// session is what a ceremony is judged by.
func session(party uptime.RelyingParty, challenge string, handle []byte) webauthn.SessionData {
	return webauthn.SessionData{
		Challenge: challenge, RelyingPartyID: party.ID, UserID: handle,
		UserVerification: protocol.VerificationRequired, CredParams: webauthn.CredentialParametersDefault(),
	}
}

// Creation gives what a browser makes a passkey of the user by
// (PublicKeyCredentialCreationOptionsJSON), and the challenge in it. Authenticators that
// hold one of have make none.
func (p *Passkeys) Creation(party uptime.RelyingParty, user uptime.User, handle []byte, have []uptime.Passkey) (options json.RawMessage, challenge string, err error) {
	e, err := engine(party)
	if err != nil {
		return nil, "", err
	}
	who := owner{handle: handle, name: user.Email, full: user.Name}
	if who.full == "" {
		who.full = user.Email
	}
	var known []protocol.CredentialDescriptor
	for _, k := range have {
		c := credentialOf(k)
		known = append(known, c.Descriptor())
	}
	made, s, err := e.BeginRegistration(who, webauthn.WithExclusions(known))
	if err != nil {
		return nil, "", fmt.Errorf("offer a new passkey: %w", err)
	}
	return written(made.Response, s)
}

// Request gives what a browser asks for a passkey by (PublicKeyCredentialRequestOptionsJSON),
// and the challenge in it: for one of allow, which are one person's, or without any for
// one that the browser finds.
func (p *Passkeys) Request(party uptime.RelyingParty, allow []uptime.Passkey) (options json.RawMessage, challenge string, err error) {
	e, err := engine(party)
	if err != nil {
		return nil, "", err
	}
	var made *protocol.CredentialAssertion
	var s *webauthn.SessionData
	if len(allow) == 0 {
		made, s, err = e.BeginDiscoverableLogin()
	} else {
		who := owner{handle: allow[0].Handle}
		for _, k := range allow {
			who.keys = append(who.keys, credentialOf(k))
		}
		made, s, err = e.BeginLogin(who)
	}
	if err != nil {
		return nil, "", fmt.Errorf("ask for a passkey: %w", err)
	}
	return written(made.Response, s)
}

func written(options any, s *webauthn.SessionData) (json.RawMessage, string, error) {
	raw, err := json.Marshal(options)
	if err != nil {
		return nil, "", fmt.Errorf("write the options of a passkey: %w", err)
	}
	return raw, s.Challenge, nil
}

// Created gives the passkey that a browser made (RegistrationResponseJSON). An error says
// why it is none.
func (p *Passkeys) Created(party uptime.RelyingParty, challenge string, handle, answer []byte) (uptime.Passkey, error) {
	e, err := engine(party)
	if err != nil {
		return uptime.Passkey{}, err
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes(answer)
	if err != nil {
		return uptime.Passkey{}, fmt.Errorf("read a new passkey: %w", err)
	}
	c, err := e.CreateCredential(owner{handle: handle}, session(party, challenge, handle), parsed)
	if err == nil {
		_, err = webauthncose.ParsePublicKey(c.PublicKey)
	}
	if err != nil {
		return uptime.Passkey{}, fmt.Errorf("verify a new passkey of %q: %w", uptime.CleanLine(parsed.Response.CollectedClientData.Origin, 200), err)
	}
	k := uptime.Passkey{
		Handle: handle, Party: party.ID, CredentialID: c.ID, PublicKey: c.PublicKey, SignCount: c.Authenticator.SignCount,
		BackupEligible: c.Flags.BackupEligible, BackedUp: c.Flags.BackupState, AAGUID: model(c.Authenticator.AAGUID),
	}
	for _, t := range c.Transport {
		if text := uptime.CleanLine(string(t), 20); text != "" && len(k.Transports) < 8 {
			k.Transports = append(k.Transports, text)
		}
	}
	return k, nil
}

// model writes an AAGUID as the UUID that it is.
func model(aaguid []byte) string {
	if len(aaguid) != 16 {
		return ""
	}
	return fmt.Sprintf("%x-%x-%x-%x-%x", aaguid[:4], aaguid[4:6], aaguid[6:8], aaguid[8:10], aaguid[10:])
}

// Named gives which passkey a browser answers with (AuthenticationResponseJSON) and what
// it calls its person; nothing of it is proved.
func (p *Passkeys) Named(answer []byte) (credentialID, handle []byte, err error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return nil, nil, fmt.Errorf("read the answer of a passkey: %w", err)
	}
	return parsed.RawID, parsed.Response.UserHandle, nil
}

var errNoSuchPasskey = errors.New("the passkey is not known")

// Verify judges the answer of a passkey to a challenge, all but its count, and gives what
// it leaves on the passkey. A passkey without a public key costs as much and is refused:
// for those that are not known.
func (p *Passkeys) Verify(party uptime.RelyingParty, challenge string, key uptime.Passkey, answer []byte) (uptime.PasskeyUse, error) {
	e, err := engine(party)
	if err != nil {
		return uptime.PasskeyUse{}, err
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
	if err != nil {
		return uptime.PasskeyUse{}, fmt.Errorf("read the answer of a passkey: %w", err)
	}
	flags := parsed.Response.AuthenticatorData.Flags
	unknown := len(key.PublicKey) == 0
	if unknown {
		key = uptime.Passkey{
			CredentialID: parsed.RawID, Handle: parsed.Response.UserHandle, PublicKey: p.decoy, BackupEligible: flags.HasBackupEligible(),
		}
	}
	_, err = e.ValidateLogin(owner{handle: key.Handle, keys: []webauthn.Credential{credentialOf(key)}}, session(party, challenge, key.Handle), parsed)
	if unknown {
		err = errNoSuchPasskey
	}
	if err != nil {
		return uptime.PasskeyUse{}, fmt.Errorf("verify a passkey of %q: %w", uptime.CleanLine(parsed.Response.CollectedClientData.Origin, 200), err)
	}
	return uptime.PasskeyUse{SignCount: parsed.Response.AuthenticatorData.Counter, BackedUp: flags.HasBackupState()}, nil
}
