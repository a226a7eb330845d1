package probe

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptrace"
	"syscall"
	"time"
)

// headBuffer is the size of net/http's own read buffer. It must be: how much is
// read beyond a head decides what counts against maxHeaderBytes.
const headBuffer = 4 << 10

// hop is one question and its answer in HTTP/1.1 over plain TCP, on a connection
// of its own. It costs less than half of what net/http's transport does, which
// hands each request through three goroutines, and finds the same: its own eyes
// see only answers of the plainest shape (readPlainHead), and whatever else comes
// is read, from the same buffer, by http.ReadResponse. Where net/http is of two
// minds, because its goroutines race (an answer before the request, half a head at
// the deadline), a hop has one: what came is the answer, what did not come is late.
//
// A hop is pooled: nothing of it may be used after release.
type hop struct {
	owner    *httpType
	conn     net.Conn
	stop     func() bool // of the watch over the check's end
	deadline time.Time
	source   source
	reader   *bufio.Reader // over source

	plan     *httpPlan
	status   int
	response *http.Response // by http.ReadResponse, nil: nobody wants it yet
	head     []byte         // of a plain answer, as it came
	body     io.Reader
	fixed    fixedBody
	chunked  chunkedBody
	unzip    unzipBody
	given    bool // to http.Client
}

func makeHop() *hop {
	h := &hop{head: make([]byte, 0, headBuffer)}
	h.reader = bufio.NewReaderSize(&h.source, headBuffer)
	return h
}

func (h *httpType) newHop() *hop {
	made := h.hops.Get().(*hop)
	made.owner = h
	return made
}

// ask connects, writes the request and reads the head of the answer. Its errors
// are those of net/http, without the words that it puts before them. What ends ctx
// ends everything, reading the body too.
func (h *hop) ask(ctx context.Context, p *httpPlan, t *tracker) error {
	h.plan = p
	conn, err := h.dial(ctx, t)
	if err != nil {
		return err
	}
	h.conn = conn
	h.stop = context.AfterFunc(ctx, func() { _ = conn.Close() }) // whoever reads it learns the rest from ctx
	h.source = source{conn: conn, left: maxHeaderBytes}
	h.reader.Reset(&h.source)
	h.deadline, _ = ctx.Deadline()
	if err := conn.SetDeadline(h.deadline); err != nil {
		return err
	}

	t.enter(stageAnswer)
	_, unwritten := conn.Write(p.wire)
	t.enter(stageAnswer)
	if unwritten != nil && !hungUp(unwritten) {
		return unwritten
	}
	// Who hung up may have answered before.
	if err := h.listen(t); err != nil {
		if unwritten != nil {
			return unwritten
		}
		return err
	}
	return nil
}

// dial connects through the guard. Only where a name may lead to several addresses
// the hooks of net are asked for, and a context that ends by itself: looking up
// waits for nothing else.
func (h *hop) dial(ctx context.Context, t *tracker) (net.Conn, error) {
	guard, address := h.owner.guard, h.plan.address
	if h.plan.named {
		limited, cancel := watched(ctx)
		defer cancel()
		return guard.DialContext(httptrace.WithClientTrace(limited, t.trace()), "tcp", address)
	}
	t.connecting(address)
	conn, err := guard.DialContext(ctx, "tcp", address)
	t.connected("", address, err)
	return conn, err
}

func hungUp(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// listen reads the head of the answer.
func (h *hop) listen(t *tracker) error {
	if _, err := h.reader.Peek(1); err != nil {
		return err
	}
	t.leave(stageAnswer)
	here, _ := h.reader.Peek(h.reader.Buffered())
	if plain, ok := readPlainHead(here); ok {
		h.take(plain, here[:plain.size])
	} else if err := h.readResponse(); err != nil {
		if h.source.left <= 0 {
			return fmt.Errorf("headers exceeded %d bytes", maxHeaderBytes)
		}
		return err
	}
	h.source.left = math.MaxInt64
	return nil
}

// take goes on to the body of a plain answer, and keeps the head for whoever will
// want to see it.
func (h *hop) take(plain plainHead, head []byte) {
	h.head = append(h.head, head...)
	_, _ = h.reader.Discard(len(head)) // is in the buffer
	h.status = plain.status
	switch {
	case h.plan.settings.Method == http.MethodHead || plain.status == http.StatusNoContent || plain.status == http.StatusNotModified:
		h.body = http.NoBody
		return
	case plain.chunked:
		h.chunked.open(h.reader)
		h.body = &h.chunked
	case plain.length == 0:
		h.body = http.NoBody
		return
	case plain.length > 0:
		h.fixed = fixedBody{h.reader, plain.length}
		h.body = &h.fixed
	default:
		h.body = h.reader
	}
	if plain.packed && h.plan.gzip {
		h.unzip.open(h.owner, h.body)
		h.body = &h.unzip
	}
}

// readResponse reads any answer, past interim ones. All of them together may not
// be larger than one head.
func (h *hop) readResponse() error {
	request := &http.Request{Method: h.plan.settings.Method}
	for {
		response, err := http.ReadResponse(h.reader, request) //nolint:bodyclose // closing would read on: release closes the connection
		if err != nil {
			return err
		}
		if code := response.StatusCode; code >= 100 && code <= 199 && code != http.StatusSwitchingProtocols {
			continue // it has no body to close
		}
		h.response, h.status, h.body = response, response.StatusCode, response.Body
		if switches(response) {
			h.body = h.reader // what is spoken now has no frame
		} else if h.plan.unpack(response) {
			h.unzip.open(h.owner, h.body)
			h.body = &h.unzip
		}
		return nil
	}
}

// redirects reports an answer that http.Client may want to follow.
func (h *hop) redirects() bool {
	return redirects(h.status) && h.header().Get("Location") != ""
}

// header is the answer's, as net/http reads it. Who is up needs none.
func (h *hop) header() http.Header {
	if h.response == nil {
		head := bufio.NewReader(bytes.NewReader(h.head))
		response, err := http.ReadResponse(head, &http.Request{Method: h.plan.settings.Method}) //nolint:bodyclose // there is none behind this head
		if err != nil {
			return nil // a head that is not plain: the tests find none
		}
		h.plan.unpack(response)
		h.response = response
	}
	return h.response.Header
}

// give hands the answer to http.Client, whose request it becomes the answer of.
func (h *hop) give(request *http.Request) *http.Response {
	h.given = true
	response := *h.response
	response.Request, response.Body = request, &givenBody{h, request}
	return &response
}

// Read reads the body.
func (h *hop) Read(p []byte) (int, error) { return h.body.Read(p) }

// hurry bounds the wait for what is still to come.
func (h *hop) hurry() {
	soon := time.Now().Add(excerptWait)
	if h.deadline.IsZero() || h.deadline.After(soon) {
		_ = h.conn.SetReadDeadline(soon) // fails when the check is over, and then all reading does
	}
}

// release closes the connection and gives the hop back.
func (h *hop) release() {
	if h.conn != nil {
		h.stop()
		_ = h.conn.Close() // only ever read since: closing loses nothing
	}
	h.unzip.close()
	h.reader.Reset(nil)
	owner := h.owner
	*h = hop{reader: h.reader, head: h.head[:0]}
	owner.hops.Put(h)
}

// source reads a connection up to a limit.
type source struct {
	conn net.Conn
	left int64
}

func (s *source) Read(p []byte) (int, error) {
	if s.left <= 0 {
		return 0, errors.New("too much")
	}
	n, err := s.conn.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	return n, err
}
