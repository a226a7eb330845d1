package auth

import (
	"context"
	"fmt"

	"github.com/alexedwards/argon2id"

	"monitor/modules/uptime"
)

// The cost of a hash: OWASP Password Storage Cheat Sheet, Argon2id, "m=19456
// (19 MiB), t=2, p=1".
const (
	hashMemoryKiB = 19 * 1024
	hashPasses    = 2
	hashLanes     = 1
)

// longestQueue is how many may wait for each turn: the last of them for some
// seconds. Who comes then is sent away at once, so that a flood from many
// addresses piles up no requests and ends when the flood does.
const longestQueue = 128

// nothing is a hash of the same cost that no password has: its key is zeros.
const nothing = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// Passwords hashes passwords, only so many at once: each hash takes 19 MiB and
// tens of milliseconds of a processor, and strangers may ask for it.
type Passwords struct {
	turns chan struct{}
	queue chan struct{} // those who wait and those whose turn it is
}

// NewPasswords allows atOnce hashes at a time, at least one.
func NewPasswords(atOnce int) *Passwords {
	atOnce = max(atOnce, 1)
	return &Passwords{turns: make(chan struct{}, atOnce), queue: make(chan struct{}, atOnce*(1+longestQueue))}
}

// Hash gives the hash to be stored. Its error is the context's, that of the
// random source, or CodeUnavailable when too many wait.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	if err := p.wait(ctx); err != nil {
		return "", err
	}
	defer p.done()
	hash, err := argon2id.CreateHash(password, &argon2id.Params{
		Memory: hashMemoryKiB, Iterations: hashPasses, Parallelism: hashLanes, SaltLength: 16, KeyLength: 32,
	})
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return hash, nil
}

// Verify reports whether the hash is the password's, in constant time. An error
// is the context's, CodeUnavailable when too many wait, or tells of a hash that
// is none.
func (p *Passwords) Verify(ctx context.Context, password, hash string) (bool, error) {
	if err := p.wait(ctx); err != nil {
		return false, err
	}
	defer p.done()
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("verify password: %w", err)
	}
	return ok, nil
}

// VerifyNothing takes as long as Verify does, so that the time of an answer
// does not tell which accounts exist.
func (p *Passwords) VerifyNothing(ctx context.Context, password string) error {
	_, err := p.Verify(ctx, password, nothing)
	return err
}

func (p *Passwords) wait(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("wait for a turn to hash: %w", err)
	}
	select {
	case p.queue <- struct{}{}:
	default:
		return uptime.Fail(uptime.CodeUnavailable, "Too many people log in at the moment; try again in a few seconds.")
	}
	select {
	case p.turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		<-p.queue
		return fmt.Errorf("wait for a turn to hash: %w", ctx.Err())
	}
}

func (p *Passwords) done() {
	<-p.turns
	<-p.queue
}
