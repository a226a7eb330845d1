package probe

import (
	"bytes"
	"errors"
	"io"
)

// errKeyword: settings with such a keyword are refused when they are saved.
var errKeyword = errors.New("the keyword is too long")

// bodyFound is what reading an answer's body gave.
type bodyFound struct {
	start   []byte // its first bytes
	keyword bool   // was there
	cut     bool   // there is more than maxBodyBytes
}

// search reads a body to its end or to maxBodyBytes, whichever comes first, and
// looks for the keyword on the way. It holds one chunk, not the body: hundreds
// of checks run at once. buffer has bufferBytes, and the start found lies in it.
func search(body io.Reader, keyword string, buffer []byte) (bodyFound, error) {
	if len(keyword) > chunkBytes/2 {
		return bodyFound{}, errKeyword
	}
	found := bodyFound{start: buffer[chunkBytes:chunkBytes]}
	buffer = buffer[:chunkBytes]
	word := []byte(keyword)
	kept, total := 0, 0 // kept: bytes of the chunk before, in which a keyword may have begun
	for {
		n, err := body.Read(buffer[kept:])
		if total+n > maxBodyBytes {
			n, found.cut = maxBodyBytes-total, true
		}
		total += n
		window := buffer[:kept+n]
		if missing := startBytes - len(found.start); missing > 0 && n > 0 {
			found.start = append(found.start, window[kept:kept+min(n, missing)]...)
		}
		if len(word) > 0 && !found.keyword {
			found.keyword = bytes.Contains(window, word)
		}
		switch {
		case found.cut || errors.Is(err, io.EOF):
			return found, nil
		case err != nil:
			return found, err
		}
		kept = min(len(window), max(len(word)-1, 0))
		copy(buffer, window[len(window)-kept:])
	}
}
