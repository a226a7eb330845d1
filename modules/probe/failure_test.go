package probe

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/outbound"
	"monitor/modules/uptime"
)

func dialError(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
}

func TestOurOwnFaultsAreErrors(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		dialError(syscall.EMFILE), dialError(syscall.ENFILE), dialError(syscall.ENOBUFS), dialError(syscall.ENOMEM),
		dialError(syscall.EADDRNOTAVAIL), dialError(syscall.EPERM), dialError(syscall.EACCES),
		x509.SystemRootsError{},
		context.Canceled,
		&net.DNSError{Err: "read udp 127.0.0.1:1->127.0.0.1:53: read: connection refused", Name: "a"},
		&net.DNSError{Err: "dial udp: connect: network is unreachable", Name: "a"},
	} {
		f, own := explain(fmt.Errorf("wrapped: %w", err), attempt{host: "a", stage: stageConnect})
		require.Nil(t, f, err)
		require.Error(t, own)
	}
}

func TestFaultsOfTheTargetHaveTheirKind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		stage stage
		kind  uptime.ErrorKind
		text  string
	}{
		"Deadline":   {context.DeadlineExceeded, stageDNS, uptime.KindTimeout, "No answer within 5s (resolving a.example)"},
		"Socket":     {os.ErrDeadlineExceeded, stageConnect, uptime.KindTimeout, "connecting to 1.2.3.4:80"},
		"NoHost":     {&net.DNSError{Err: "no such host", Name: "b.example", IsNotFound: true}, stageDNS, uptime.KindDNS, "b.example does not resolve: no such host"},
		"ServFail":   {&net.DNSError{Err: "server misbehaving", Name: "b.example"}, stageDNS, uptime.KindDNS, "server misbehaving"},
		"Resolver":   {&net.DNSError{Err: "i/o timeout", Name: "b.example", IsTimeout: true}, stageDNS, uptime.KindDNS, "did not answer in time"},
		"Refused":    {dialError(syscall.ECONNREFUSED), stageConnect, uptime.KindConnectRefused, "1.2.3.4:80 refused the connection"},
		"NoRoute":    {dialError(syscall.EHOSTUNREACH), stageConnect, uptime.KindConnect, "no route to 1.2.3.4:80"},
		"System":     {dialError(syscall.ETIMEDOUT), stageConnect, uptime.KindTimeout, "(connecting)"},
		"Blocked":    {dialError(&outbound.BlockedError{Rule: "network.deny x"}), stageConnect, uptime.KindBlocked, "network.deny x"},
		"Alert":      {&net.OpError{Op: "remote error", Err: errors.New("tls: certificate required")}, stageAnswer, uptime.KindTLS, "failed: certificate required"},
		"LooksAlike": {errors.New(`malformed HTTP response "tls: x"`), stageAnswer, uptime.KindProtocol, "not valid"},
		"Reset":      {dialError(syscall.ECONNRESET), stageAnswer, uptime.KindProtocol, "1.2.3.4:80 reset the connection before the answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, own := explain(fmt.Errorf("wrapped: %w", c.err), attempt{host: "a.example", address: "1.2.3.4:80", stage: c.stage, timeout: 5 * time.Second})
			require.NoError(t, own)
			require.Equal(t, c.kind, f.kind)
			require.Contains(t, f.text, c.text)
		})
	}
}
