package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"net/url"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

const (
	// totpPeriod, 6 digits and SHA-1 are what every authenticator app takes (RFC 6238).
	totpPeriod = 30 * time.Second
	totpBytes  = 20 // of SHA-1's length, as RFC 4226 recommends
	// totpSkew is how many steps a clock may be off, either way.
	totpSkew = 1
	// longestIssuer, in characters, lets any name fit into a QR code.
	longestIssuer = 40
)

// OneTimeCodes are those of RFC 6238: six digits by HMAC-SHA-1, a new code every 30 s.
type OneTimeCodes struct{}

// NewSecret gives 160 random bits in base32.
func (OneTimeCodes) NewSecret() string {
	raw := make([]byte, totpBytes)
	_, _ = rand.Read(raw) // never fails: crypto/rand ends the program instead
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
}

// URL is what an authenticator app reads as a QR code.
func (OneTimeCodes) URL(secret, issuer, account string) string {
	issuer = strings.ReplaceAll(issuer, ":", "") // it parts the two
	if runes := []rune(issuer); len(runes) > longestIssuer {
		issuer = string(runes[:longestIssuer])
	}
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + account}
	// Some apps show a plus sign for a space.
	u.RawQuery = "secret=" + secret + "&issuer=" + strings.ReplaceAll(url.QueryEscape(issuer), "+", "%20")
	return u.String()
}

// Usable reports whether the secret is one: base32 of at least 128 bits.
func (OneTimeCodes) Usable(secret string) bool {
	raw, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	return err == nil && len(raw) >= 16 && len(raw) <= 64
}

// StepAt is the time step of a moment.
func StepAt(t time.Time) int64 { return t.Unix() / int64(totpPeriod/time.Second) }

// Step gives the time step whose code this is, of now or a neighbour of it; false for
// none. A caller that keeps the newest step it took takes no code twice.
func (o OneTimeCodes) Step(secret, code string, now time.Time) (step int64, ok bool) {
	current := StepAt(now)
	for at := current - totpSkew; at <= current+totpSkew; at++ {
		want := o.Code(secret, at)
		if want != "" && subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = at, true
		}
	}
	return step, ok
}

// Code is that of a time step; "" where the secret is none.
func (OneTimeCodes) Code(secret string, step int64) string {
	code, err := hotp.GenerateCodeCustom(secret, uint64(step), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1}) //nolint:gosec // times are after 1970
	if err != nil {
		return ""
	}
	return code
}
