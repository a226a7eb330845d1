package probe

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"slices"
	"strings"
)

// switches reports an answer after which the connection speaks another protocol.
// net/http then gives the connection itself as the body.
func switches(r *http.Response) bool {
	return r.StatusCode == http.StatusSwitchingProtocols && r.Header.Get("Upgrade") != "" &&
		slices.ContainsFunc(r.Header["Connection"], namesUpgrade)
}

func namesUpgrade(connection string) bool {
	for option := range strings.SplitSeq(connection, ",") {
		if strings.EqualFold(strings.Trim(option, " \t"), "upgrade") {
			return true
		}
	}
	return false
}

// unpack reports a body that is packed because we asked for it, and takes the
// headers of the packed form away, as net/http does.
func (p *httpPlan) unpack(r *http.Response) bool {
	if !p.gzip || r.ContentLength == 0 || !strings.EqualFold(r.Header.Get("Content-Encoding"), "gzip") {
		return false
	}
	r.Header.Del("Content-Encoding")
	r.Header.Del("Content-Length")
	return true
}

// unzipBody unpacks a body from the first Read on: the head of the packed form is
// part of the body, and so are its errors.
type unzipBody struct {
	owner *httpType
	from  io.Reader
	zip   *gzip.Reader
	err   error
}

func (u *unzipBody) open(owner *httpType, from io.Reader) {
	*u = unzipBody{owner: owner, from: from}
}

func (u *unzipBody) Read(p []byte) (int, error) {
	if u.zip == nil && u.err == nil {
		u.zip = u.owner.unzips.Get().(*gzip.Reader)
		// Without ReadByte, so that gzip buffers it as it does with net/http.
		u.err = u.zip.Reset(struct{ io.Reader }{u.from})
	}
	if u.err != nil {
		return 0, u.err
	}
	return u.zip.Read(p)
}

// close gives the unpacker back, without what it read from.
func (u *unzipBody) close() {
	if u.zip != nil {
		_ = u.zip.Reset(emptyBody{}) // fails, having nothing to read
		u.owner.unzips.Put(u.zip)
	}
}

// emptyBody has ReadByte, so that gzip makes no buffer for it.
type emptyBody struct{}

func (emptyBody) Read([]byte) (int, error) { return 0, io.EOF }
func (emptyBody) ReadByte() (byte, error)  { return 0, io.EOF }

// givenBody is the body of the first hop in the hands of http.Client.
type givenBody struct {
	hop     *hop
	request *http.Request
}

func (b *givenBody) Read(p []byte) (int, error) {
	n, err := b.hop.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = orEnd(b.request.Context(), err)
	}
	return n, err
}

// Close ends the hop before the next one begins.
func (b *givenBody) Close() error { return b.hop.conn.Close() }

// fixedBody has a length.
type fixedBody struct {
	from *bufio.Reader
	left int64
}

func (b *fixedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.EOF
	}
	n, err := b.from.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	switch {
	case b.left == 0 && err == nil:
		err = io.EOF // with the last bytes: nobody waits for more
	case b.left > 0 && errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// chunkedBody comes in chunks.
type chunkedBody struct {
	from   *bufio.Reader
	chunks io.Reader
	err    error
}

func (b *chunkedBody) open(from *bufio.Reader) {
	*b = chunkedBody{from: from, chunks: httputil.NewChunkedReader(from)}
}

func (b *chunkedBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.chunks.Read(p)
	if errors.Is(err, io.EOF) {
		err = b.end()
	}
	b.err = err
	return n, err
}

// end reads what follows the last chunk: mostly an empty line. Trailers nobody
// wants, but they must be well formed, and net/http knows what that is. It gets
// to see them behind a head and a last chunk of our own.
func (b *chunkedBody) end() error {
	if next, _ := b.from.Peek(2); string(next) == "\r\n" {
		return io.EOF
	}
	before := strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
	response, err := http.ReadResponse(bufio.NewReaderSize(io.MultiReader(before, b.from), headBuffer), nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }() // is read to its end
	if _, err = io.Copy(io.Discard, response.Body); err != nil {
		return err
	}
	return io.EOF
}
