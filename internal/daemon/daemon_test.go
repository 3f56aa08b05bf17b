package daemon

import (
	"bytes"
	"strings"
	"testing"
)

func TestBindRequest(t *testing.T) {
	// The anonymous bind, as every packet capture shows it.
	want := []byte{0x30, 0x0c, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0}
	if got := bindRequest("", ""); !bytes.Equal(got, want) {
		t.Errorf("got % x, want % x", got, want)
	}
	long := bindRequest(strings.Repeat("x", 300), "secret")
	if !bytes.HasPrefix(long, []byte{0x30, 0x82, 0x01}) {
		t.Errorf("long form: % x", long[:6])
	}
}

func TestBindResult(t *testing.T) {
	for name, test := range map[string]struct {
		answer []byte
		ok     bool
	}{
		"success":             {[]byte{0x30, 0x0c, 2, 1, 1, 0x61, 7, 0x0a, 1, 0, 4, 0, 4, 0}, true},
		"success, long form":  {[]byte{0x30, 0x84, 0, 0, 0, 0x10, 2, 1, 1, 0x61, 0x84, 0, 0, 0, 7, 0x0a, 1, 0, 4, 0, 4, 0}, true},
		"invalid credentials": {[]byte{0x30, 0x0c, 2, 1, 1, 0x61, 7, 0x0a, 1, 49, 4, 0, 4, 0}, false},
		"not LDAP":            {[]byte("220 mail.example.org ESMTP"), false},
		"nothing":             {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := bindResult(bytes.NewReader(test.answer)); (err == nil) != test.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var log bytes.Buffer
	end := &tail{next: &log}
	for range 100 {
		if _, err := end.Write([]byte("a line of some length\n")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := end.Write([]byte("bind(7) failed\n")); err != nil {
		t.Fatal(err)
	}
	if s := end.String(); !strings.HasSuffix(s, "; bind(7) failed") || len(s) > tailSize {
		t.Errorf("tail: %q", s)
	}
	if log.Len() != 100*22+15 {
		t.Errorf("%d bytes were passed on", log.Len())
	}
}
