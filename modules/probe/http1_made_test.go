package probe

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// maker makes answers from a grammar of HTTP and of its breaches.
type maker struct{ *rand.Rand }

func madeTrials(seed uint64, n int) []trial {
	m := maker{rand.New(rand.NewPCG(seed, 1))}
	trials := make([]trial, n)
	for i := range trials {
		trials[i] = m.trial()
	}
	return trials
}

func pick[T any](m maker, list ...T) T { return list[m.IntN(len(list))] }

func (m maker) once(in int) bool { return m.IntN(in) == 0 }

func (m maker) trial() trial {
	c := trial{settings: m.settings(), detail: m.once(3)}
	answer := m.answer()
	if m.once(4) {
		answer = m.spoil(answer)
	}
	if m.once(6) {
		answer = answer[:m.IntN(len(answer)+1)]
	}
	c.answer = answer
	if m.once(5) {
		c.last = resets
	}
	if m.once(60) {
		c.last = holds
	}
	if m.once(4) && len(answer) > 1 {
		for range m.IntN(4) {
			c.cuts = append(c.cuts, m.IntN(len(answer)))
		}
		slices.Sort(c.cuts)
	}
	return c
}

func (m maker) settings() map[string]any {
	s := map[string]any{}
	if m.once(5) {
		s["method"] = pick(m, "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
	}
	if m.once(10) {
		s["body"] = strings.Repeat("b", 1+m.IntN(300))
	}
	if m.once(2) {
		s["keyword"] = pick(m, "needle", "n", "absent")
		s["keyword_absent"] = m.once(3)
	}
	if m.once(3) {
		s["follow_redirects"] = false
	}
	if m.once(4) {
		s["expected_status"] = []string{pick(m, "3xx", "200", "1xx", "100-999", "404", "500-599")}
	}
	if m.once(8) {
		s["headers"] = map[string]string{pick(m, "Accept-Encoding", "range", "X-A", "user-agent", "Host", "authorization"): pick(m, "gzip", "a b", "bytes=0-1", "x.example")}
	}
	return s
}

func (m maker) answer() []byte {
	var b bytes.Buffer
	for m.once(8) {
		fmt.Fprintf(&b, "HTTP/1.1 %d Interim\r\nLink: a\r\n%s\r\n", 100+m.IntN(5), pick(m, "", "Content-Length: 3\r\n", "Upgrade: x\r\nConnection: upgrade\r\n"))
	}
	line := pick(m, "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "http/1.1", "HTTP/11", "ICY", "")
	code := pick(m, "200", "200", "200", "200", "200", "200", "204", "205", "206", "299", "301", "302", "303", "304", "307", "308", "404", "500", "503", "599", "600", "999", "099", "000", "20", "2000", "+20", "-20", "2x0", "")
	line += pick(m, " ", " ", " ", " ", " ", "  ", "\t") + code + pick(m, " OK", " OK", " OK", "", " ", "\tOK", " a\x00b", " \xff", "  two words", " a\rb")
	b.WriteString(line)
	eol := pick(m, "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r\r\n")
	b.WriteString(eol)
	body := m.body()
	for _, h := range m.headers(&body) {
		b.WriteString(h)
		b.WriteString(eol)
	}
	b.WriteString(eol)
	b.WriteString(body)
	if m.once(10) {
		b.WriteString(pick(m, "more", "\r\n", "HTTP/1.1 200 OK\r\n\r\n"))
	}
	return b.Bytes()
}

func (m maker) body() string {
	switch m.IntN(12) {
	case 0:
		return ""
	case 1:
		return strings.Repeat("x", m.IntN(9000)) + "needle"
	case 2:
		return strings.Repeat("needle", 3000)
	case 3:
		return "\x00\xff\xfe"
	}
	return pick(m, "a needle b", "hello", "n")
}

// headers frames the body, well or badly.
func (m maker) headers(body *string) []string {
	var list []string
	if m.once(5) {
		packed := zip(*body)
		switch m.IntN(6) {
		case 0:
			packed = packed[:m.IntN(len(packed))]
		case 1:
			packed[m.IntN(len(packed))] ^= 1 << m.IntN(8)
		case 2:
			packed = append(packed, pick(m, "tail", "\x1f\x8b")...)
		}
		*body = string(packed)
		list = append(list, pick(m, "Content-Encoding: gzip", "content-encoding: GZIP", "Content-Encoding:gzip ", "Content-Encoding: gzip, gzip", "Content-Encoding: deflate"))
	}
	n := len(*body)
	switch m.IntN(10) {
	case 0, 1, 2:
		list = append(list, pick(m, "Content-Length: ", "content-length:", "CONTENT-LENGTH: \t")+strconv.Itoa(n))
	case 3:
		list = append(list, "Content-Length: "+strconv.Itoa(max(0, n+m.IntN(7)-3)))
	case 4:
		list = append(list, "Content-Length: "+strconv.Itoa(n), "Content-Length: "+pick(m, strconv.Itoa(n), " "+strconv.Itoa(n)+" ", "0", "+1", "x"))
	case 5:
		list = append(list, "Content-Length: "+pick(m, "", " ", "-1", "+3", "0x3", "3, 3", "99999999999999999999", "9223372036854775807", "3 ", "03", "1_0", "\x003"))
	case 6, 7:
		*body = m.chunks(*body)
		list = append(list, pick(m, "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", "transfer-encoding: Chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: identity", "Transfer-Encoding:", "Transfer-Encoding: chunked "))
		if m.once(5) {
			list = append(list, pick(m, "Transfer-Encoding: chunked", "Content-Length: 3", "Content-Length: x", "Trailer: X-T", "Trailer: Content-Length"))
		}
	}
	for range m.IntN(5) {
		list = append(list, pick(m,
			"Connection: close", "Connection: keep-alive", "Server: x", "X-A: "+strings.Repeat("a", m.IntN(200)), "Set-Cookie: a=b", "X-A: 1", "x-a: 2",
			"Location: /there", "Location: /there", "Location: http://[::bad", "Location: ftp://a/", "Location:", "Location: http://127.0.0.1:1/", "Pragma: no-cache", "Upgrade: h2c",
			"X-B:", "X-B:\t b \t", "X_C: d", "X.D: e", "X-E : f", " X-F: g", "\tfold", "X-G\x00: h", "X-H: \x00", "X-I: \xff\xfe", "X-J: a\rb", "no colon", ": no name", "X-K: \x7f", "Trailer: X-T",
			"X-L: "+strings.Repeat("b", m.IntN(5000)), "Date: Mon, 01 Jan 2024 00:00:00 GMT", "Content-Type: text/html; charset=utf-8",
		))
	}
	m.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

func (m maker) chunks(body string) string {
	var b strings.Builder
	for len(body) > 0 {
		n := 1 + m.IntN(len(body))
		size := strconv.FormatInt(int64(n), 16)
		if m.once(30) {
			size = pick(m, "", "zz", "-1", "0x1", size+" ", " "+size, strings.Repeat("0", 20)+size, "fffffffffffffffff", size+";"+strings.Repeat("e", 300), "\x00")
		}
		b.WriteString(size + pick(m, "", "", "", ";a=b", " ;x") + pick(m, "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n") + body[:n])
		b.WriteString(pick(m, "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "x\r\n"))
		body = body[n:]
	}
	return b.String() + pick(m, "0\r\n", "0\r\n", "0\r\n", "0\r\n", "00\r\n", "0;x\r\n", "0\n", "") + pick(m, "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "X-T: u\r\n\r\n", "X-T: u\r\n", "bad\r\n\r\n", "\n", "", "\r", "X-T: "+strings.Repeat("u", 5000)+"\r\n\r\n")
}

// spoil changes a few bytes.
func (m maker) spoil(answer []byte) []byte {
	answer = slices.Clone(answer)
	for range 1 + m.IntN(3) {
		i := m.IntN(min(len(answer), 300))
		odd := pick(m, byte(0), '\r', '\n', ' ', '\t', ':', 0x7f, 0x80, 0xff, '0', 'a', byte(m.IntN(256)))
		switch m.IntN(4) {
		case 0:
			answer = slices.Delete(answer, i, i+1)
		case 1:
			answer = slices.Insert(answer, i, odd)
		default:
			answer[i] = odd
		}
		if len(answer) == 0 {
			return answer
		}
	}
	return answer
}

func zip(text string) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return b.Bytes()
}

func gzipped(text string) string {
	packed := zip(text)
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(packed), packed)
}
