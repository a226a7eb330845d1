package uptime

// Identity is by what a provider of OpenID Connect knows a person: issuer and subject
// together are theirs for ever and nobody else's.
type Identity struct {
	Issuer  string
	Subject string // at most 255 bytes, without control characters
}

// OIDCRequest ties the answer of a provider to the browser that was sent there. Its
// values are random and good for one log-in.
type OIDCRequest struct {
	State    string // comes back beside the answer
	Nonce    string // comes back in the signed token
	Verifier string // of PKCE (RFC 7636): 43 to 128 letters and digits
}

// OIDCAnswer is what a browser brings back from a provider.
type OIDCAnswer struct {
	Code   string
	Issuer string // iss of RFC 9207, "" where there was none
}

// OIDCPerson is what a provider says of who logged in there.
type OIDCPerson struct {
	Identity
	Email         string // lower case, "" where there is none
	EmailVerified bool
	Name          string
	Groups        []string
}
