package testenv

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// RedisTLS starts a server that speaks TLS only, with a certificate by an
// authority of its own, and returns its address for redis.url, which names the
// authority's file.
func RedisTLS(tb testing.TB) string {
	tb.Helper()
	dir, err := ownedTempDir("monitor-tls-")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := writeCertificate(dir); err != nil {
		tb.Fatal(err)
	}
	p := newRedisTLS(tb, dir)
	return "rediss://" + p.Addr() + "/0?tls_ca_file=" + url.QueryEscape(filepath.Join(dir, "ca.pem"))
}

func newRedisTLS(tb testing.TB, dir string) *RedisProcess {
	tb.Helper()
	// The port for plain connections is another one, of which nobody is told:
	// newRedisProcess sets it, and the last setting counts.
	port, err := steadyPort()
	if err != nil {
		tb.Fatal(err)
	}
	p := newRedisProcess(tb, "--tls-port", strconv.Itoa(port), "--tls-auth-clients", "no",
		"--tls-cert-file", filepath.Join(dir, "server.pem"), "--tls-key-file", filepath.Join(dir, "key.pem"),
		"--tls-ca-cert-file", filepath.Join(dir, "ca.pem"), "--appendonly", "no", "--save", "")
	p.port = port
	return p
}

// writeCertificate makes an authority and a certificate for 127.0.0.1 by it.
func writeCertificate(dir string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "redis"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	authority, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	if err != nil {
		return err
	}
	server, err := x509.CreateCertificate(rand.Reader, leaf, ca, &key.PublicKey, key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	err = errors.Join(
		writePEM(dir, "ca.pem", "CERTIFICATE", authority),
		writePEM(dir, "server.pem", "CERTIFICATE", server),
		writePEM(dir, "key.pem", "PRIVATE KEY", secret),
	)
	if err != nil {
		return err
	}
	return giveAway(dir)
}

func writePEM(dir, name, kind string, der []byte) error {
	return os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
