//go:build ad && !ds389

package ldapsink

import (
	"context"
	"strings"
	"testing"

	"go.uber.org/zap/zaptest"

	"scimgate/internal/samba"
)

// A domain controller says who it is, and the versions read from it carry that.
func TestVersionsOfADCarryTheirServer(t *testing.T) {
	server, err := samba.Start(t.Context(), samba.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Stop(); err != nil {
			t.Error(err)
		}
	})
	sink, err := New(Config{Flavor: activeDirectory, URLs: []string{server.URL()}, TLS: TLS{CAFile: server.CAFile()},
		Bind: Bind{DN: server.AdminDN(), Password: server.AdminPassword()}}, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	err = sink.read(t.Context(), func(ctx context.Context, l *link) error {
		if l.tag == "" || l.tag == shortFor(server.URL()) {
			t.Errorf("the tag %q is not the server's own", l.tag)
		}
		if l.readOnly {
			t.Error("it counts as read-only")
		}
		entry, err := sink.baseOn(ctx, l, server.AdminDN(), []string{sink.flavor.version})
		if err != nil {
			return err
		}
		version := first(entry, sink.flavor.version)
		if own, ok := l.untagged(version); !ok || own == "" || strings.Contains(own, "-") {
			t.Errorf("the version is %q", version)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
