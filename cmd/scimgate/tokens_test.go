package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"scimgate/internal/config"
	"scimgate/internal/token"
)

const day = 24 * time.Hour

var dawn = time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)

// watched is a keeper of one tenant's tokens, and what it says.
func watched(t *testing.T, stateDir string) (*tokenKeeper, *config.Config, *observer.ObservedLogs) {
	t.Helper()
	core, said := observer.New(zapcore.InfoLevel)
	k := newTokenKeeper(stateDir, zap.New(core))
	cfg := &config.Config{StateDir: stateDir, Tenants: []config.Tenant{{Name: "okta", Tokens: config.Tokens{Warn: 30 * day}}}}
	k.serve(cfg)
	return k, cfg, said
}

// Of a token that is close to its end the log says so at once and then once a day,
// and of others nothing.
func TestTokensThatEndAreWarnedOfOnceADay(t *testing.T) {
	dir := t.TempDir()
	f := token.Open(dir, "okta")
	_, old, err := f.Create(dawn.Add(-345*day), 365*day, 4, "first")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Create(dawn, 365*day, 4, "second"); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := f.Make(dawn.Add(-25*day), token.Order{Subject: "1234", Label: "ann@example.org", Lifetime: 30 * day, Most: 1}); err != nil {
		t.Fatal(err)
	}
	k, cfg, said := watched(t, dir)
	for minute := range 3 * 24 * 60 {
		k.warnAll(dawn.Add(time.Duration(minute) * time.Minute))
		if minute == 100 {
			k.serve(cfg) // a configuration that is read anew is no new day
		}
	}
	lines := said.All()
	if len(lines) != 6 {
		t.Fatalf("%d warnings in three days of two tokens, want 6: %v", len(lines), lines)
	}
	fields := lines[0].ContextMap()
	if fields["token"] != old.ID || fields["tenant"] != "okta" || fields["days"] != int64(20) || fields["label"] != "first" {
		t.Errorf("the first warning has %v", fields)
	}
	for _, l := range lines {
		if text, _ := l.ContextMap()["label"].(string); strings.Contains(text, "ann") {
			t.Errorf("the log names a person: %v", l.ContextMap())
		}
	}
	live := k.live(dawn)
	if len(live) != 3 || live[0].tenant != "okta" || !live[0].ending || live[1].ending || !live[2].ending {
		t.Errorf("live are %+v", live)
	}
}

// A folder that cannot be written is one warning, and no request fails for it.
func TestUsesThatCannotBeKeptAreOneWarning(t *testing.T) {
	dir := t.TempDir()
	text, made, err := token.Open(dir, "okta").Create(dawn, 365*day, 2, "")
	if err != nil {
		t.Fatal(err)
	}
	inTheWay := filepath.Join(dir, "used")
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	k, cfg, said := watched(t, dir)
	door := k.of("okta", tokenFile(cfg, cfg.Tenants[0]))
	use := func(at time.Duration) {
		t.Helper()
		if id, ok, err := door.Verify(text, dawn.Add(at)); !ok || err != nil || id.ID != made.ID {
			t.Errorf("%v %v %v", id, ok, err)
		}
		k.keep(dawn.Add(at), true)
	}
	for minute := range 5 {
		use(time.Duration(minute) * time.Minute)
	}
	if said.Len() != 1 {
		t.Errorf("%d lines: %v", said.Len(), said.All())
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	use(10 * time.Minute)
	if said.Len() != 2 || said.All()[1].Level != zapcore.InfoLevel {
		t.Errorf("%d lines: %v", said.Len(), said.All())
	}
	used, err := door.uses.Last()
	if err != nil || !used[made.ID].Equal(dawn.Add(10*time.Minute)) {
		t.Errorf("kept are %v, %v", used, err)
	}
	if _, ok, _ := door.Verify("wrong", dawn); ok {
		t.Error("a wrong token is let in")
	}
}

// A token's first use is written soon, the next a minute later, all at the end.
func TestTheFirstUseIsWrittenSoon(t *testing.T) {
	dir := t.TempDir()
	text, made, err := token.Open(dir, "okta").Create(dawn, 365*day, 2, "")
	if err != nil {
		t.Fatal(err)
	}
	k, cfg, _ := watched(t, dir)
	door := k.of("okta", tokenFile(cfg, cfg.Tenants[0]))
	for _, tc := range []struct {
		at   time.Duration
		all  bool
		want time.Duration
	}{{0, false, 0}, {30 * time.Second, false, 0}, {70 * time.Second, false, 70 * time.Second}, {80 * time.Second, true, 80 * time.Second}} {
		if _, ok, err := door.Verify(text, dawn.Add(tc.at)); !ok || err != nil {
			t.Fatal(ok, err)
		}
		k.keep(dawn.Add(tc.at), tc.all)
		used, err := door.uses.Last()
		if err != nil || !used[made.ID].Equal(dawn.Add(tc.want)) {
			t.Errorf("after %s: %v, %v", tc.at, used, err)
		}
	}
}

// The list shows what an administrator has to know, and warns where it ends soon.
func TestListOfTokens(t *testing.T) {
	used := dawn.Add(-time.Hour)
	all := []token.Token{
		{ID: "a1", Label: "first", Created: dawn.Add(-345 * day), Expires: dawn.Add(20*day + time.Hour)},
		{ID: "b2", Label: "<second>", Created: dawn, Expires: dawn.Add(365 * day)},
		{ID: "c3", Subject: "1234", Created: dawn.Add(-time.Hour), Expires: dawn.Add(2 * time.Hour)},
		{ID: "d4", Created: dawn.Add(-2 * day), Expires: dawn.Add(-day)},
	}
	tokens := listed(all, map[string]time.Time{"a1": used, "d4": used}, dawn, 30*day)
	var out, complaint bytes.Buffer
	if err := tokensText(&out, &complaint, tokens); err != nil {
		t.Fatal(err)
	}
	if want := `ID  CREATED               EXPIRES               LEFT         LAST USED             LABEL     SUBJECT
a1  2025-03-21T06:00:00Z  2026-03-21T07:00:00Z  20 days (!)  2026-03-01T05:00:00Z  first     
b2  2026-03-01T06:00:00Z  2027-03-01T06:00:00Z  365 days     never                 <second>  
c3  2026-03-01T05:00:00Z  2026-03-01T08:00:00Z  hours        never                           1234
`; out.String() != want {
		t.Errorf("the list is\n%swanted\n%s", out.String(), want)
	}
	if got := complaint.String(); !strings.HasPrefix(got, "warning: token a1 ends on 2026-03-21; make a new one") || strings.Count(got, "\n") != 1 {
		t.Errorf("it warns %q", got)
	}
	out.Reset()
	if err := tokensJSON(&out, tokens); err != nil {
		t.Fatal(err)
	}
	var got struct{ Tokens []listedToken }
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || len(got.Tokens) != 3 {
		t.Fatalf("%v: %s", err, &out)
	}
	if first := got.Tokens[0]; !first.Ending || first.DaysLeft != 20 || first.LastUsed == nil || !first.LastUsed.Equal(used) || got.Tokens[1].LastUsed != nil {
		t.Errorf("%s", &out)
	}
	out.Reset()
	if err := tokensJSON(&out, listed(nil, nil, dawn, day)); err != nil || out.String() != "{\n  \"tokens\": []\n}\n" {
		t.Errorf("none are %q, %v", &out, err)
	}
}
