// Package logincheck is the tests of log-in by OpenID Connect against a provider that is
// not ours: the one of github.com/zitadel/oidc with its in-memory store, which listens on
// loopback. The built program runs beside it, and people come by a client that keeps
// cookies and by a browser.
//
//	button ──▶ provider's log-in ──▶ callback ──▶ session
//
// Answers that no honest provider gives are tested in modules/auth, by one that gives
// them.
package logincheck
