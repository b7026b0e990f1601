package livetest

import (
	"bytes"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Proxy passes connections on to the service and breaks them as a test wants.
type Proxy struct {
	// URL is where it listens.
	URL string

	mutex    sync.Mutex
	requests []string
	cut      func(request string, answered []byte) int
}

// StartProxy puts a proxy before the service at target until the test ends. Of each connection's first request it
// gives cut the head and what has been answered so far; cut says how much of that may pass before the connection
// breaks, or -1 to let all of it pass.
func StartProxy(t testing.TB, target string, cut func(request string, answered []byte) int) *Proxy {
	t.Helper()
	parsed, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{URL: "http://" + listener.Addr().String(), cut: cut}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			caller, err := listener.Accept()
			if err != nil {
				return
			}
			go p.pass(caller, parsed.Host)
		}
	}()
	return p
}

// Requests gives the heads of the requests that opened a connection, in their order.
func (p *Proxy) Requests() []string {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return append([]string(nil), p.requests...)
}

func (p *Proxy) pass(caller net.Conn, host string) {
	defer func() { _ = caller.Close() }()
	service, err := net.Dial("tcp", host)
	if err != nil {
		return
	}
	defer func() { _ = service.Close() }()
	first, head := readHead(caller)
	p.mutex.Lock()
	p.requests = append(p.requests, head)
	p.mutex.Unlock()
	if _, err := service.Write(first); err != nil {
		return
	}
	go func() {
		_, _ = io.Copy(service, caller)
		_ = service.(*net.TCPConn).CloseWrite()
	}()
	var answered []byte
	passed := 0
	buffer := make([]byte, 16<<10)
	for {
		n, err := service.Read(buffer)
		answered = append(answered, buffer[:n]...)
		allowed := p.cut(head, answered)
		broken := allowed >= 0
		if !broken {
			allowed = len(answered)
		}
		if allowed > passed {
			if _, err := caller.Write(answered[passed:allowed]); err != nil {
				return
			}
			passed = allowed
		}
		if broken || err != nil {
			return
		}
	}
}

// readHead gives what came up to the end of the first request's head, or a little more, and the head.
func readHead(caller io.Reader) (first []byte, head string) {
	buffer := make([]byte, 4<<10)
	for {
		n, err := caller.Read(buffer)
		first = append(first, buffer[:n]...)
		if end := bytes.Index(first, []byte("\r\n\r\n")); end >= 0 {
			return first, strings.ToLower(string(first[:end]))
		}
		if err != nil {
			return first, strings.ToLower(string(first))
		}
	}
}
