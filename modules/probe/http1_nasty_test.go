package probe

import (
	"fmt"
	"strings"
)

// nastyTrials are answers that servers, proxies and attackers have been seen to
// give, each looked at in several ways.
func nastyTrials() []trial {
	var list []trial
	add := func(answer string, last lastWord, early bool, settings map[string]any) {
		detail := len(list)%4 > 0 // which shows more, and so tells more apart
		list = append(list, trial{script: script{answer: []byte(answer), last: last, early: early}, settings: settings, detail: detail})
	}
	for i, answer := range nastyAnswers() {
		for _, settings := range []map[string]any{
			{"keyword": "needle"},
			{"method": "HEAD"},
			{"expected_status": []string{"100-999"}, "follow_redirects": false},
		} {
			add(answer, hangsUp, false, settings)
		}
		if i%2 == 0 {
			add(answer, resets, false, map[string]any{})
		}
	}
	for _, answer := range []string{
		"", "H", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc", "HTTP/1.1 404 Not Found\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.1 103 Early\r\n\r\n", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08",
	} {
		add(answer, holds, false, map[string]any{"expected_status": []string{"101", "200-299"}})
	}
	for _, rest := range []string{"", "3\r\nabc\r\n", "0\r\n"} { // a redirect that is not followed
		add("HTTP/1.1 302 Found\r\nLocation: /there\r\nTransfer-Encoding: chunked\r\n\r\n"+rest, holds, false, map[string]any{"expected_status": []string{"302"}, "follow_redirects": false})
	}
	for _, answer := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nneedle", "HTTP/1.1 503 Busy\r\n\r\n", "SSH-2.0-OpenSSH_9.9\r\n", "HTTP/1.1 408 Request Timeout\r\n\r\n"} {
		add(answer, hangsUp, true, map[string]any{})
		add(answer, hangsUp, true, map[string]any{"method": "POST", "body": strings.Repeat("b", 300<<10)})
	}
	// The cap over a head, to the byte, in one line and in many.
	for size := maxHeaderBytes - 3; size <= maxHeaderBytes+3; size++ {
		for _, start := range []string{"HTTP/1.1 200 OK\r\nX-A: ", strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 900) + "HTTP/1.1 200 OK\r\nX-A: "} {
			add(start+strings.Repeat("a", size-len(start)-4)+"\r\n\r\nneedle", hangsUp, false, map[string]any{"keyword": "needle"})
			add(start+strings.Repeat("a", size-len(start)), hangsUp, false, map[string]any{})
		}
	}
	return append(list, requestTrials()...)
}

// requestTrials differ in what is asked.
func requestTrials() []trial {
	var list []trial
	all := []map[string]any{
		{"url": "http://me:pass@PLACE/", "headers": map[string]string{"authorization": "Bearer x"}},
		{"method": "POST"},
		{"method": "PUT"},
		{"method": "PATCH"},
		{"method": "OPTIONS"},
		{"method": "POST", "body": "hello"},
		{"method": "GET", "body": "hello"},
		{"method": "DELETE", "body": "x"},
		{"method": "get"},
		{"method": "CONNECT"},
		{"method": "TRACE"},
		{"method": "bad method"},
		{"method": ""},
		{"method": "PUT", "body": strings.Repeat("b", 3900)},
		{"method": "PUT", "body": strings.Repeat("b", 4096)},
		{"method": "PUT", "body": strings.Repeat("b", 1<<20)},
		{"headers": map[string]string{"Accept-Encoding": "gzip"}},
		{"headers": map[string]string{"accept-encoding": ""}},
		{"headers": map[string]string{"Range": "bytes=0-1"}},
		{"headers": map[string]string{"Range": ""}},
		{"headers": map[string]string{"user-agent": "me"}},
		{"headers": map[string]string{"User-Agent": ""}},
		{"headers": map[string]string{"ACCEPT": "text/html", "x-ONE": " spaced\t"}},
		{"headers": map[string]string{"Host": "other.example:99"}},
		{"headers": map[string]string{"Host": ""}},
		{"headers": map[string]string{"Host": "a b/c"}},
		{"headers": map[string]string{"Host": "bücher.example"}},
		{"headers": map[string]string{"host": "[fe80::1%25en0]:80"}},
		{"headers": map[string]string{"Connection": "keep-alive"}},
		{"headers": map[string]string{"Connection": "upgrade", "Upgrade": "websocket"}},
		{"headers": map[string]string{"Content-Length": "9"}},
		{"headers": map[string]string{"Transfer-Encoding": "chunked"}},
		{"headers": map[string]string{"Expect": "100-continue"}, "method": "POST", "body": "hello"},
		{"headers": map[string]string{"Te": "trailers"}},
		{"headers": map[string]string{"Trailer": "a"}},
		{"headers": map[string]string{"X-A": "a\nb"}},
		{"headers": map[string]string{"X A": "b"}},
		{"headers": map[string]string{"": "b"}},
		{"headers": map[string]string{"X-A": "é"}},
		{"headers": map[string]string{"Authorization": "Bearer abcdef"}},
		{"headers": map[string]string{"Cookie": "a=b"}},
	}
	for _, url := range askedURLs() {
		all = append(all, map[string]any{"url": url})
	}
	for _, settings := range all {
		for _, answer := range []string{
			"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 307 Temporary\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 302 Found\r\nLocation: //localhost/\r\n\r\n",
			"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 Nope\r\nX-Auth-Token: a\r\n\r\nBearer abcdef", gzipped("needle"),
		} {
			list = append(list, trial{script: script{answer: []byte(answer)}, settings: settings, detail: true})
		}
	}
	return list
}

// askedURLs name the target, PLACE or PORT, in many ways, and others.
func askedURLs() []string {
	return []string{
		"http://PLACE/?a=b&c=%20d", "http://PLACE", "http://PLACE?x", "http://PLACE/?a b", "http://PLACE/?é", "http://PLACE/#fragment",
		"http://PLACE/?", "http://localhost:PORT/", "HTTP://LOCALHOST:PORT/", "http://[::ffff:127.0.0.1]:PORT/", "http://0.0.0.0:PORT/", "http://127.0.0.2:PORT/",
		"http://[::1]:PORT/", "http://[::1%25lo]:PORT/", "http://[::]:PORT/", "http://127.0.0.1:1/", "http://127.0.0.1:0/", "http://127.0.0.1:/",
		"http://127.0.0.1/", "http://127.0.0.1:0PORT/", "http://127.0.0.1:99999/", "http://127.1:PORT/", "http://127.0.0.1.:PORT/", "http://:PORT/",
		"http://127.0.0.01:PORT/", "http://no-such-name.invalid:PORT/", "http://bücher.example:PORT/", "http://a_b-.example:PORT/", "http://a..b:PORT/", "http://" + strings.Repeat("a", 300) + ":PORT/",
		"http://a b/", "http://a%20b/", "http://a!b:PORT/", "http://me:pass@PLACE/", "http://me@PLACE/", "http://:@PLACE/",
		"http://m%3ae:p%00ss@PLACE/", "http://PLACE/a%2Fb/../c//d;e=f?g=[h]|i\"j", "http://PLACE//x", "http://PLACE/\x7f", "http:PLACE/", "http://PLACE?%zz",
		"http://PLACE/é", "http://PLACE/<>^`{}",
	}
}

func nastyAnswers() []string {
	const okay = "HTTP/1.1 200 OK\r\n"
	list := []string{
		"", "\r\n", "\n", " ", "\x00", "HTTP", "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 200", "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 \r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "HTTP/1.1\t200 OK\r\n\r\n", " HTTP/1.1 200 OK\r\n\r\n", "\r\nHTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.0 200 OK\r\n\r\nneedle", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nneedle", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nneedle\r\n0\r\n\r\n", "HTTP/0.9 200 OK\r\n\r\nneedle", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.10 200 OK\r\n\r\n", "HTTP/1.1x 200 OK\r\n\r\n", "HTTP/-1.1 200 OK\r\n\r\n",
		"<html>needle</html>", "SSH-2.0-OpenSSH\r\n", "220 mail ESMTP\r\n", "ICY 200 OK\r\n\r\n", "\x16\x03\x01\x02\x00", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x00\x00\x12\x04\x00\x00\x00\x00\x00",
		"HTTP/1.1 600 Odd\r\n\r\n", "HTTP/1.1 999 Odd\r\n\r\n", "HTTP/1.1 099 Odd\r\n\r\n", "HTTP/1.1 000 Odd\r\n\r\n", "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1 -20 OK\r\n\r\n", "HTTP/1.1 +20 OK\r\n\r\n", "HTTP/1.1 2 0 OK\r\n\r\n",
		"HTTP/1.1 204 No\r\nContent-Length: 6\r\n\r\nneedle", "HTTP/1.1 304 Not\r\nContent-Length: 6\r\n\r\nneedle", "HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nneedle\r\n0\r\n\r\n", "HTTP/1.1 205 Reset\r\nContent-Length: 6\r\n\r\nneedle", "HTTP/1.1 204 No\r\nContent-Encoding: gzip\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\n\r\nneedle", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\nneedle", "HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: close, upgrade\r\n\r\nneedle", "HTTP/1.1 101 S\r\nUpgrade: x\r\nConnection: a, uPgrade\r\nContent-Encoding: gzip\r\n\r\nneedle", "HTTP/1.1 101 S\r\nUpgrade:\r\nConnection: upgrade\r\n\r\nneedle", "HTTP/1.1 102 P\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + okay + "\r\nneedle",
		"HTTP/1.1 100 Continue\r\n\r\n" + okay + "\r\nneedle", "HTTP/1.1 100 Continue\r\nContent-Length: 3\r\n\r\n" + okay + "\r\nneedle", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 50) + okay + "\r\nneedle", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 5000), "HTTP/1.1 199 Odd\r\n\r\n", "HTTP/1.1 103 E\r\nContent-Length: x\r\n\r\n" + okay + "\r\n", "HTTP/1.1 103 E\r\nTransfer-Encoding: chunked\r\n\r\n" + okay + "\r\n",
		"HTTP/1.1 301 Moved\r\n\r\n", "HTTP/1.1 301 Moved\r\nLocation:\r\n\r\n", "HTTP/1.1 301 Moved\r\nLocation: \x00\r\n\r\n", "HTTP/1.1 300 Choices\r\nLocation: /a\r\n\r\n", "HTTP/1.1 304 Not\r\nLocation: /a\r\n\r\n", "HTTP/1.1 305 Proxy\r\nLocation: /a\r\n\r\n", "HTTP/1.1 302 F\r\nlocation: /a\r\nLocation: /b\r\n\r\n", "HTTP/1.1 302 F\r\nLocation: mailto:a\r\n\r\n", "HTTP/1.1 302 F\r\nLocation: http:///a\r\n\r\n", "HTTP/1.1 302 F\r\nLocation: http://a:b:c/\r\n\r\n", "HTTP/1.1 303 F\r\nLocation: ?a\r\nContent-Length: 9000\r\n\r\nabc", "HTTP/1.1 302 F\r\nLocation: /\r\n\r\n", "HTTP/1.1 308 F\r\nLocation: /a\r\nTransfer-Encoding: chunked\r\n\r\nzz", "HTTP/1.1 302 F\r\nLocation: /a\r\nContent-Encoding: gzip\r\n\r\nnot gzip",
		"HTTP/1.1 302 F\r\nLocation: /a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", "HTTP/1.1 404 failed to parse Location header\r\n\r\n", "failed to parse Location header", "headers exceeded\r\n\r\n", "no Host in request URL", "tls: x", "HTTP/1.1 net/http: http: 2\r\n\r\n",
		gzipped("a needle b"), gzipped(""), gzipped(strings.Repeat("needle", 9000)), gzipped("x")[:60], okay + "Content-Encoding: gzip\r\n\r\n", okay + "Content-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", okay + "Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", okay + "Content-Encoding: gzip\r\n\r\n" + string(zip("needle")) + string(zip(" two")), okay + "Content-Encoding: gzip\r\n\r\n" + string(zip("needle")) + "tail",
	}
	for _, length := range []string{"", " ", "0", "6", "5", "7", "-1", "+6", "0x6", "6 ", "\t6", "06", "6, 6", "6\r\nContent-Length: 6", "6\r\nContent-Length: 06", "6\r\nContent-Length: 7", "0\r\nContent-Length: 0", "9223372036854775807", "9223372036854775808", "1e3", "6;", "٦", "6\x00", "6\r\nTransfer-Encoding: chunked", "6\r\n 6", "6\r\nContent-Length : 6", "6\r\nContent_Length: 7"} {
		list = append(list, okay+"Content-Length: "+length+"\r\n\r\nneedle")
	}
	for _, coding := range []string{"chunked", "Chunked", " chunked ", "chunked\r\nTransfer-Encoding: chunked", "chunked, chunked", "gzip, chunked", "identity", "", "x", "\"chunked\"", "chunked\r\nContent-Length: 6", "chunked\r\nContent-Length: x", "chunked\r\nTrailer: X-T", "chunked\r\nTrailer: Content-Length", "chunked\r\nTrailer: ,", "\x0bchunked"} {
		list = append(list, okay+"Transfer-Encoding: "+coding+"\r\n\r\n6\r\nneedle\r\n0\r\n\r\n")
	}
	for _, chunks := range []string{"", "0", "0\r", "0\r\n", "0\r\n\r", "0\r\n\n", "0\r\nX", "0\r\nX-T: u\r\n\r\n", "0\r\nX-T: u\n\n", "0\r\nbad\r\n\r\n", "0\r\nX-T: " + strings.Repeat("u", 4200) + "\r\n\r\n", "0\r\n\r\nmore", "6\r\nneedle", "6\r\nneedle\r\n", "6\r\nneedlex\r\n0\r\n\r\n", "6\nneedle\n0\n\n", "6;ext=\"a\r\nneedle\r\n0\r\n\r\n", "6 \r\nneedle\r\n0\r\n\r\n", " 6\r\nneedle\r\n0\r\n\r\n", "-6\r\n", "+6\r\n", "0x6\r\nneedle\r\n", "g\r\n", "\r\n", "\x00\r\n", "10000000000000000\r\n", "ffffffffffffffff\r\nneedle", "7fffffffffffffff\r\nneedle", "0000000000000000006\r\nneedle\r\n0\r\n\r\n", strings.Repeat("1;"+strings.Repeat("e", 200)+"\r\nx\r\n", 200), "1;" + strings.Repeat("e", 5000) + "\r\nx\r\n0\r\n\r\n"} {
		list = append(list, okay+"Transfer-Encoding: chunked\r\n\r\n"+chunks)
	}
	for _, line := range []string{"X-A", "X-A:b", "X-A :b", " X-A: b", "\tX-A: b", ": b", ":", "X-A: b\r\n fold", "X-A: b\r\n\tfold\r\n\r\n more", "X\x00A: b", "X-A: \x00", "X-A: \x01", "X-A: \x7f", "X-A: \x80\xff", "X-A: é", "X-A: a\rb", "X-A: a\r\rb", "X-A: b\n", "X(A): b", "X\"A: b", "é: b", "\x80: b", "X-A: b\r\nX-A: c", "x-a: b\r\nX-a: c", "Set-Cookie: a\r\nSet-Cookie: b", "Pragma: no-cache", "Connection: close, X", "connection: CLOSE", "Connection: keep-alive", "X-A: \t b \t", "X-A:", "X.A: b", "X_A: b", "!#$%&'*+-.^_`|~: b", "Content-Encoding: gzip, br", "Content-Encoding: gzip\r\nContent-Encoding: br", "Trailer: X", "Upgrade: h2c\r\nConnection: upgrade", "X-A: " + strings.Repeat("a", 4096), "X-A: " + strings.Repeat("a", 70000), strings.Repeat("a", 70000), strings.Repeat("X-A: b\r\n", 5000) + "X: y", strings.Repeat("a", 4000) + ": b", "X-A: a\r\n\r"} {
		list = append(list, okay+line+"\r\n\r\nneedle", okay+line+"\r\nContent-Length: 6\r\n\r\nneedle", okay+line, "HTTP/1.1 404 Not Found\n"+line+"\n\nneedle")
	}
	for n := 4060; n <= 4110; n += 3 { // round the size of the read buffer
		list = append(list, fmt.Sprintf("%sX-A: %s\r\nContent-Length: 6\r\n\r\nneedle", okay, strings.Repeat("a", n-len(okay)-28)))
	}
	return list
}
