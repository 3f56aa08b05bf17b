package samba

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRefusedConfig(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no folder":                {},
		"every interface":          {Dir: "d", Listen: "0.0.0.0"},
		"another interface":        {Dir: "d", Listen: "192.0.2.1"},
		"IPv6":                     {Dir: "d", Listen: "::1"},
		"a port":                   {Dir: "d", Listen: "127.1.1.1:636"},
		"a name":                   {Dir: "d", Listen: "localhost"},
		"line break in a folder":   {Dir: "d\nserver services = smb"},
		"substitution in a folder": {Dir: "d%m"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := cfg.withDefaults(); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// Nothing that Samba writes may be outside the folder, and nothing but LDAP is served.
func TestRender(t *testing.T) {
	cfg, err := Config{Dir: "/srv/ad", Listen: "127.1.2.3", Conf: []string{"log level = 3"}}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	text := cfg.render()
	for _, want := range []string{
		"\tprivate dir = /srv/ad/private\n", "\tlock directory = /srv/ad/lock\n", "\tlog file = /srv/ad/log.samba\n",
		"\ttls keyfile = /srv/ad/key.pem\n", "\tinterfaces = 127.1.2.3/8\n", "\tbind interfaces only = yes\n",
		"\tserver services = ldap\n", "\tldap server require strong auth = yes\n", "\tlog level = 3\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}
	for line := range strings.Lines(text) {
		if _, value, found := strings.Cut(line, " = /"); found && !strings.HasPrefix(value, "srv/ad/") {
			t.Errorf("outside the folder: %s", line)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

// What it says where there is none must name the remedy.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for _, name := range []string{"samba", "samba-tool"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	_, err := Find()
	if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "no ldbmodify") ||
		!strings.Contains(err.Error(), "install-deps samba") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "ldbmodify"), nil, 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(); got != filepath.Join(dir, "samba") || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestLastLines(t *testing.T) {
	if got := lastLines([]byte("1\n2\n3\n4\n5\n")); got != "2; 3; 4; 5" {
		t.Errorf("got %q", got)
	}
	if got := lastLines(nil); got != "" {
		t.Errorf("got %q", got)
	}
}
