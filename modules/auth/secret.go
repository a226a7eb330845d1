package auth

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// secretFile is in data.dir.
const secretFile = "secret"

// LoadSecret gives the keys of the configured secret or, when that is empty, of
// the one kept in dataDir, which is made the first time. Several processes may
// do so at once: they end with the same one. mayMake is asked before one is made, with
// the keys of the previous secrets: its error keeps it from that. nil: it may.
func LoadSecret(dataDir, configured string, previous []string, mayMake func(Keys) error) (Keys, error) {
	secret := configured
	if secret == "" {
		var err error
		if secret, err = keptSecret(dataDir, previous, mayMake); err != nil {
			return Keys{}, err
		}
	}
	return NewKeys(secret, previous)
}

// KeptKey gives the id of the key of the secret that is kept in dataDir; "" where there
// is none.
func KeptKey(dataDir string) string {
	secret, err := readSecret(SecretFile(dataDir))
	if err != nil {
		return ""
	}
	set, err := derive(secret)
	if err != nil {
		return ""
	}
	return set.id
}

// SecretFile is where a secret is kept that no setting gives.
func SecretFile(dataDir string) string { return filepath.Join(dataDir, secretFile) }

func keptSecret(dir string, previous []string, mayMake func(Keys) error) (string, error) {
	path := SecretFile(dir)
	secret, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if mayMake != nil {
		before, err := previousKeys(previous)
		if err != nil {
			return "", err
		}
		if err := mayMake(before); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the folder of the secret: %w", err)
	}
	if err := makeSecret(dir, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make the secret: %w", err)
	}
	return readSecret(path)
}

func readSecret(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the secret: %w", err)
	}
	secret := strings.TrimSpace(string(raw))
	if len(secret) < MinSecretLength {
		return "", fmt.Errorf("the secret in %s has fewer than %d characters: bring the file back from a backup; "+
			"if there is none, remove it and run `monitor secrets reset`, which says what is lost with it", path, MinSecretLength)
	}
	return secret, nil
}

// makeSecret writes a new secret beside its place and links it there whole, so
// that no crash leaves half of one and no second process replaces it.
func makeSecret(dir, path string) error {
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return err
	}
	// CreateTemp makes the file with mode 0600.
	file, err := os.CreateTemp(dir, ".secret-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.WriteString(base64.RawURLEncoding.EncodeToString(raw) + "\n")
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(file.Name(), path); err != nil {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
