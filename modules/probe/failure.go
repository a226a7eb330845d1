package probe

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"monitor/modules/outbound"
	"monitor/modules/uptime"
)

// maxErrorText bounds the one line that people read.
const maxErrorText = 300

// failure is why a target is not up.
type failure struct {
	status uptime.Status
	kind   uptime.ErrorKind
	text   string
}

func down(kind uptime.ErrorKind, format string, args ...any) *failure {
	return &failure{uptime.Down, kind, fmt.Sprintf(format, args...)}
}

// attempt is what is known of the connection that an error ended.
type attempt struct {
	host    string // as in the settings
	address string // dialled, "" if it did not come to that
	stage   stage
	timeout time.Duration
}

// peer is the address for people.
func (a attempt) peer() string {
	if a.address != "" {
		return a.address
	}
	return a.host
}

// explain tells what a network error says of the target. It gives an error
// instead where the fault is ours, so that nothing can be said of the target.
func explain(err error, a attempt) (*failure, error) {
	var blocked *outbound.BlockedError
	var dns *net.DNSError
	switch {
	case errors.As(err, &blocked):
		return &failure{uptime.Unknown, uptime.KindBlocked, uptime.Say("Not checked: %v", blocked)}, nil
	case errors.Is(err, outbound.ErrBlocked):
		return &failure{uptime.Unknown, uptime.KindBlocked, uptime.Say("Not checked: %v", outbound.ErrBlocked)}, nil
	case errors.Is(err, context.Canceled):
		return nil, err
	case ownFault(err) != "":
		return nil, errors.New(ownFault(err))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return down(uptime.KindTimeout, "No answer within %s (%s)", a.timeout, a.waiting()), nil
	case errors.As(err, &dns):
		return explainDNS(dns)
	}
	if f, own := explainTLS(err, a); f != nil || own != nil {
		return f, own
	}
	if a.stage <= stageConnect {
		return explainConnect(err, a), nil
	}
	return explainAnswer(err, a), nil
}

// waiting says what a check was doing when its time was up.
func (a attempt) waiting() uptime.Sentence {
	switch a.stage {
	case stageDNS:
		return uptime.Say("resolving %s", a.host)
	case stageConnect:
		return uptime.Say("connecting to %s", a.peer())
	case stageTLS:
		return uptime.Say("TLS handshake with %s", a.peer())
	case stageAnswer:
		return uptime.Say("connected to %s", a.peer())
	case stageBody:
		return "the answer began and did not end"
	case stageStart:
	}
	return "not connected"
}

// ownFault names what our machine lacks, "" when the error says nothing of it.
func ownFault(err error) uptime.Sentence {
	var roots x509.SystemRootsError
	switch {
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "this machine has too many open files (see ulimit -n)"
	case errors.Is(err, syscall.ENOMEM), errors.Is(err, syscall.ENOBUFS):
		return "this machine is out of memory for connections"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return "this machine has no free local address or port"
	case errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EACCES):
		return "this machine does not permit the connection"
	case errors.As(err, &roots):
		return "this machine has no list of trusted certificate authorities"
	}
	return ""
}

// explainDNS tells a name that does not resolve from a resolver of ours that
// cannot be asked.
func explainDNS(err *net.DNSError) (*failure, error) {
	name := uptime.CleanLine(err.Name, 255)
	switch {
	case err.IsNotFound:
		return down(uptime.KindDNS, "%s does not resolve: no such host", name), nil
	case strings.Contains(err.Err, "refused") || strings.Contains(err.Err, "unreachable"):
		// As unavailable: it tells of our network, not of the target.
		return nil, fmt.Errorf(uptime.Sentence("the resolver of this machine cannot be reached (%w)"), uptime.ErrUnavailable)
	case err.IsTimeout:
		return down(uptime.KindDNS, "%s does not resolve: the resolver did not answer in time", name), nil
	}
	return down(uptime.KindDNS, "%s does not resolve: %s", name, err.Err), nil
}

// explainTLS gives nil, nil for errors that have nothing to do with TLS.
func explainTLS(err error, a attempt) (*failure, error) {
	var (
		record  tls.RecordHeaderError
		verify  *tls.CertificateVerificationError
		invalid x509.CertificateInvalidError
		name    x509.HostnameError
		unknown x509.UnknownAuthorityError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		return outOfDate(invalid.Cert), nil
	case errors.As(err, &name):
		return down(uptime.KindCertificate, "The certificate is not for %s", a.host), nil
	case errors.As(err, &unknown):
		return down(uptime.KindCertificate, "The certificate is signed by an unknown authority"), nil
	case errors.As(err, &verify), errors.As(err, &invalid):
		return down(uptime.KindCertificate, "The certificate cannot be trusted: %v", err), nil
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return down(uptime.KindTLS, "%s does not speak TLS", a.peer()), nil
	case isAlert(err), a.stage == stageTLS && strings.Contains(err.Error(), "tls: "):
		_, detail, _ := strings.Cut(err.Error(), "tls: ")
		return down(uptime.KindTLS, "TLS handshake with %s failed: %s", a.peer(), detail), nil
	case a.stage == stageTLS:
		return down(uptime.KindTLS, "TLS handshake with %s failed: %s", a.peer(), ending(err)), nil
	}
	return nil, nil
}

// isAlert reports the other side's word that it will not go on. One about a
// missing client certificate comes after the handshake (TLS 1.3).
func isAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "remote error"
}

// outOfDate says which end of its time a certificate missed.
func outOfDate(c *x509.Certificate) *failure {
	if time.Until(c.NotBefore) > 0 {
		return down(uptime.KindCertificate, "The certificate is valid only from %s UTC", c.NotBefore.UTC().Format(time.DateTime))
	}
	return down(uptime.KindCertificate, "The certificate expired on %s UTC", c.NotAfter.UTC().Format(time.DateTime))
}

func explainConnect(err error, a attempt) *failure {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return down(uptime.KindConnectRefused, "%s refused the connection", a.peer())
	case errors.Is(err, syscall.ETIMEDOUT):
		return down(uptime.KindTimeout, "No answer from %s (connecting)", a.peer())
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return down(uptime.KindConnect, "There is no route to %s", a.peer())
	}
	return down(uptime.KindConnect, "Cannot connect to %s: %s", a.peer(), ending(err))
}

func explainAnswer(err error, a attempt) *failure {
	began := a.stage == stageBody
	switch {
	case isReset(err) && began:
		return down(uptime.KindProtocol, "%s reset the connection in the middle of the answer", a.peer())
	case isReset(err):
		return down(uptime.KindProtocol, "%s reset the connection before the answer", a.peer())
	case isClosed(err) && began:
		return down(uptime.KindProtocol, "%s closed the connection in the middle of the answer", a.peer())
	case isClosed(err):
		return down(uptime.KindProtocol, "%s closed the connection before the answer", a.peer())
	case strings.Contains(err.Error(), "headers exceeded"):
		return down(uptime.KindProtocol, "The head of the answer is larger than %d KiB", maxHeaderBytes>>10)
	}
	return down(uptime.KindProtocol, "The answer is not valid: %s", ending(err))
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func isClosed(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// ending is the last word of a chain of network errors: the addresses before it
// are said already.
func ending(err error) uptime.Sentence {
	switch {
	case isReset(err):
		return "reset the connection"
	case isClosed(err):
		return "closed the connection"
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	text := err.Error()
	for _, prefix := range []string{"net/http: HTTP/1.x transport connection broken: ", "net/http: ", "http: ", "http2: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}
