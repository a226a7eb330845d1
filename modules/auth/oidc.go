package auth

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"monitor/modules/uptime"
)

const (
	// oidcRequestTimeout bounds each request to a provider, oidcTimeout all of a log-in.
	oidcRequestTimeout = 8 * time.Second
	oidcTimeout        = 15 * time.Second
	// oidcRetry is how long a provider that did not answer is not asked again.
	oidcRetry = 5 * time.Second
	// oidcRefresh is how old what a provider says of itself may get. Its keys are
	// fetched anew then, so that one that it withdrew is good for no longer; a new key
	// is fetched when it is first seen.
	oidcRefresh = time.Hour
)

// OIDCParams is what NewOIDC needs.
type OIDCParams struct {
	Issuer       string
	ClientID     string
	ClientSecret string // "": a public client, which PKCE alone protects
	RedirectURL  string
	Name         string // of the provider, for people
	Scopes       []string
	// GroupsClaim names the claim with the person's groups, dots leading into objects;
	// "" where nobody asks for groups.
	GroupsClaim string
	// Dial connects to the provider: that of the guard.
	Dial  func(ctx context.Context, network, address string) (net.Conn, error)
	Clock uptime.Clock
}

// OIDC lets people log in by a provider of OpenID Connect: authorization code flow with
// PKCE (RFC 7636, S256), state, nonce and, where the provider sends it, the issuer of RFC
// 9207. It is the only user of the library. Nothing is asked of the provider before the
// first log-in, so that one that is away stops no start.
//
// Its errors are *uptime.Error: CodeUnavailable where the provider is away or not set up
// as it should be, CodeUnauthorized for an answer that is not to be trusted. What people
// read holds nothing of what the provider sent.
type OIDC struct {
	params OIDCParams
	web    *oidcWeb

	turn     chan struct{} // who holds it reads and writes what follows
	known    *oidcProvider // nil before the first answer
	failure  error         // of the newest attempt
	failedAt time.Time
}

// oidcProvider is what a provider says of itself.
type oidcProvider struct {
	*oidc.Provider

	found      time.Time
	issuer     string
	login      *oauth2.Config
	verifier   *oidc.IDTokenVerifier
	saysIssuer bool // with each answer
}

// NewOIDC connects to nothing yet.
func NewOIDC(p OIDCParams) *OIDC {
	return &OIDC{params: p, web: newOIDCWeb(p.Dial), turn: make(chan struct{}, 1)}
}

// AuthURL is where to send the browser.
func (o *OIDC) AuthURL(ctx context.Context, r uptime.OIDCRequest) (string, error) {
	p, err := o.provider(ctx)
	if err != nil {
		return "", err
	}
	return p.login.AuthCodeURL(r.State, oidc.Nonce(r.Nonce), oauth2.S256ChallengeOption(r.Verifier)), nil
}

// Identify swaps the code of an answer for what the provider says of the person. The
// caller has compared the state.
func (o *OIDC) Identify(ctx context.Context, r uptime.OIDCRequest, a uptime.OIDCAnswer) (uptime.OIDCPerson, error) {
	p, err := o.provider(ctx)
	if err != nil {
		return uptime.OIDCPerson{}, err
	}
	if a.Issuer != "" && a.Issuer != p.issuer || a.Issuer == "" && p.saysIssuer {
		return uptime.OIDCPerson{}, o.untrusted(fmt.Errorf("the answer names the issuer %.200q", a.Issuer))
	}
	ctx, cancel := context.WithTimeout(o.web.context(ctx), oidcTimeout)
	defer cancel()
	token, err := p.login.Exchange(ctx, a.Code, oauth2.VerifierOption(r.Verifier))
	if err != nil {
		return uptime.OIDCPerson{}, o.exchangeFailed(err)
	}
	id, claims, err := o.verify(ctx, p, token, r.Nonce)
	if err != nil {
		return uptime.OIDCPerson{}, err
	}
	if o.asksMore(claims) && p.UserInfoEndpoint() != "" {
		if err := o.addUserInfo(ctx, p, token, id.Subject, claims); err != nil {
			return uptime.OIDCPerson{}, err
		}
	}
	person := claims.person(o.params.GroupsClaim)
	person.Issuer, person.Subject = p.issuer, id.Subject
	return person, nil
}

// verify gives the claims of the signed token that came with an access token, once all
// that OpenID Connect Core 1.0, 3.1.3.7 and 3.1.3.8 ask for is so.
func (o *OIDC) verify(ctx context.Context, p *oidcProvider, token *oauth2.Token, nonce string) (*oidc.IDToken, oidcClaims, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok || raw == "" {
		return nil, nil, o.unusable(errors.New("the provider gave no ID token; is openid among auth.oidc.scopes?"))
	}
	var cause error
	id, err := p.verifier.Verify(withCause(ctx, &cause), raw)
	switch {
	case err != nil && isAway(cause):
		return nil, nil, o.away(cause)
	case err != nil:
		return nil, nil, o.untrusted(err)
	}
	claims := oidcClaims{}
	if err := id.Claims(&claims); err != nil {
		return nil, nil, o.untrusted(err)
	}
	azp, named := claims["azp"]
	switch {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return nil, nil, o.untrusted(errors.New("the nonce of the ID token is another one"))
	case named && textOf(azp) != o.params.ClientID:
		return nil, nil, o.untrusted(errors.New("the ID token was issued to another client (azp)"))
	case !named && len(id.Audience) > 1:
		return nil, nil, o.untrusted(errors.New("the ID token is for several clients and does not say to which it was issued (azp)"))
	}
	if err := checkSubject(id.Subject); err != nil {
		return nil, nil, o.untrusted(err)
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, nil, o.untrusted(err)
		}
	}
	return id, claims, nil
}

// asksMore reports claims that may be at the userinfo endpoint only.
func (o *OIDC) asksMore(claims oidcClaims) bool {
	_, groups := claims.at(o.params.GroupsClaim)
	return !claims.has("email") || !claims.has("email_verified") || o.params.GroupsClaim != "" && !groups
}

// addUserInfo adds what the ID token does not say.
func (o *OIDC) addUserInfo(ctx context.Context, p *oidcProvider, token *oauth2.Token, subject string, claims oidcClaims) error {
	info, err := p.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil && isAway(err) {
		return o.away(err)
	}
	if err != nil {
		return o.unusable(fmt.Errorf("ask the userinfo endpoint: %w", err))
	}
	if info.Subject != subject {
		return o.untrusted(errors.New("the userinfo endpoint answered of somebody else"))
	}
	more := oidcClaims{}
	if err := info.Claims(&more); err != nil {
		return o.unusable(fmt.Errorf("read userinfo: %w", err))
	}
	claims.add(more)
	return nil
}

// provider gives what the provider says of itself, which is asked for when that is
// unknown or old. One at a time asks; who waited for a failure gets the same.
func (o *OIDC) provider(ctx context.Context) (*oidcProvider, error) {
	select {
	case o.turn <- struct{}{}:
		defer func() { <-o.turn }()
	case <-ctx.Done():
		return nil, o.away(ctx.Err())
	}
	now := o.params.Clock()
	if o.known != nil && now.Sub(o.known.found) < oidcRefresh {
		return o.known, nil
	}
	if o.failure == nil || now.Sub(o.failedAt) >= oidcRetry {
		found, err := o.discover(ctx, now)
		if err == nil {
			o.known, o.failure = found, nil
			return found, nil
		}
		o.failure, o.failedAt = err, now
	}
	if o.known != nil {
		return o.known, nil // old, and good enough while nothing newer is to be had
	}
	return nil, o.failure
}

// discover reads the provider's metadata (OpenID Connect Discovery 1.0). It goes on
// when who asked has left: others wait for it.
func (o *OIDC) discover(ctx context.Context, now time.Time) (*oidcProvider, error) {
	ctx, cancel := context.WithTimeout(o.web.context(context.WithoutCancel(ctx)), oidcTimeout)
	defer cancel()
	issuer := o.params.Issuer
	found, err := oidc.NewProvider(ctx, issuer)
	if other, ok := errors.AsType[*oidc.IssuerMismatchError](err); ok && strings.TrimSuffix(other.Discovered, "/") == strings.TrimSuffix(issuer, "/") {
		issuer = other.Discovered // a slash at the end is easily forgotten
		found, err = oidc.NewProvider(ctx, issuer)
	}
	if err != nil && isAway(err) {
		return nil, o.away(err)
	}
	if err != nil {
		return nil, o.unusable(fmt.Errorf("read the metadata of auth.oidc.issuer: %w", err))
	}
	var more struct {
		Keys       string   `json:"jwks_uri"`
		Methods    []string `json:"token_endpoint_auth_methods_supported"`
		SaysIssuer bool     `json:"authorization_response_iss_parameter_supported"`
	}
	if err := found.Claims(&more); err != nil {
		return nil, o.unusable(fmt.Errorf("read the metadata of auth.oidc.issuer: %w", err))
	}
	endpoint := found.Endpoint()
	if err := checkEndpoints(issuer, endpoint.AuthURL, endpoint.TokenURL, more.Keys, found.UserInfoEndpoint()); err != nil {
		return nil, o.unusable(err)
	}
	endpoint.AuthStyle = o.authStyle(more.Methods)
	keys := oidcKeys{oidc.NewRemoteKeySet(o.web.context(context.Background()), more.Keys)} //nolint:contextcheck // the keys outlive the request
	return &oidcProvider{
		Provider: found, found: now, issuer: issuer, saysIssuer: more.SaysIssuer,
		login: &oauth2.Config{
			ClientID: o.params.ClientID, ClientSecret: o.params.ClientSecret, Endpoint: endpoint,
			RedirectURL: o.params.RedirectURL, Scopes: o.params.Scopes,
		},
		verifier: oidc.NewVerifier(issuer, keys, &oidc.Config{
			ClientID: o.params.ClientID, SupportedSigningAlgs: algorithmsOf(found), Now: o.params.Clock,
		}),
	}, nil
}

// authStyle says how the client's secret is shown: as the provider takes it, and where
// it takes both, as it turns out to take it from this client.
func (o *OIDC) authStyle(methods []string) oauth2.AuthStyle {
	basic := len(methods) == 0 || slices.Contains(methods, "client_secret_basic")
	post := slices.Contains(methods, "client_secret_post")
	switch {
	case o.params.ClientSecret == "", post && !basic:
		return oauth2.AuthStyleInParams
	case post:
		return oauth2.AuthStyleAutoDetect
	}
	return oauth2.AuthStyleInHeader
}

// exchangeFailed tells an old or used code from a client that the provider does not
// take.
func (o *OIDC) exchangeFailed(err error) error {
	refused, ok := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case isAway(err):
		return o.away(err)
	case ok && refused.ErrorCode == "invalid_grant":
		return o.failed(uptime.CodeUnauthorized, uptime.Say("That log-in took too long, or was used before. Try again."), err)
	}
	return o.unusable(fmt.Errorf("swap the code for a token: %w", err))
}

func (o *OIDC) away(err error) error {
	return o.failed(uptime.CodeUnavailable, uptime.Say("%s does not answer at the moment. Try again in a minute, or log in with a password.", o.params.Name), err)
}

func (o *OIDC) unusable(err error) error {
	return o.failed(uptime.CodeUnavailable, uptime.Say("Log-in with %s is not set up as it should be. An admin finds the reason in the program's log.", o.params.Name), err)
}

func (o *OIDC) untrusted(err error) error {
	return o.failed(uptime.CodeUnauthorized, uptime.Say("The answer of %s cannot be trusted, so nobody was logged in. If it stays so, an admin finds the reason in the program's log.", o.params.Name), err)
}

// failed keeps what a log may hold of the cause: not the secret, and no page of HTML.
func (o *OIDC) failed(code uptime.Code, detail string, err error) error {
	text := err.Error()
	if o.params.ClientSecret != "" {
		text = strings.ReplaceAll(text, o.params.ClientSecret, "********")
	}
	return &uptime.Error{Code: code, Detail: detail, Err: errors.New(uptime.CleanLine(text, 500))}
}
