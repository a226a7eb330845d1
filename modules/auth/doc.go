// Package auth holds what proves who somebody is and what keeps secrets secret:
// password hashes, access tokens, opaque tokens and values sealed at rest. All
// keys are derived from one secret (keys.go); earlier secrets still verify and
// open, so that the secret can be changed without locking anybody out.
//
// Everything here is safe for concurrent use.
package auth
