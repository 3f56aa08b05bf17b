package config

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// of loads the minimal file with a tenant that has the lines besides.
func of(t *testing.T, lines ...string) Tenant {
	t.Helper()
	return mustLoad(t, "    directory: corp\n", "    directory: corp\n    "+strings.Join(lines, "\n    ")+"\n").Tenants[0]
}

func TestSetsOfFilters(t *testing.T) {
	got := Sets([]string{"userName", "id and manager", "a and  b", "android"})
	want := [][]string{{"userName"}, {"id", "manager"}, {"a", "b"}, {"android"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Without the key, and without a profile, everything is offered.
func TestWhereNothingIsSaidAllIsOffered(t *testing.T) {
	plain := mustLoad(t).Tenants[0]
	if d := cmp.Diff(Protocol{}, plain.Protocol); d != "" {
		t.Error(d)
	}
	if len(plain.Users.Upsert.By)+len(plain.Users.Rules.MailAddresses) > 0 {
		t.Errorf("a create finds by %v", plain.Users.Upsert)
	}
}

func TestTheRuleSetCloudSSO(t *testing.T) {
	got := of(t, "profile: cloudsso")
	if d := cmp.Diff(Protocol{Off: []string{"Me", "Bulk", ".search"}, Members: ProtocolMembers{Shown: MembersShownSingle}}, got.Protocol); d != "" {
		t.Error(d)
	}
	if got.Tokens.Max != 2 || got.Limits.PageSize != 100 || got.Provenance != "default" || got.Users.OnExisting.Action != "conflict" || len(got.Users.Upsert.By) > 0 {
		t.Errorf("%+v", got)
	}
	own := of(t, "profile: cloudsso", "tokens: {max: 3}", "limits: {pageSize: 20}", "protocol: {off: [], members: {shown: always}}")
	if len(own.Protocol.Off) > 0 || own.Protocol.Members.Shown != "always" || own.Tokens.Max != 3 || own.Limits.PageSize != 20 {
		t.Errorf("overridden: %+v", own)
	}
}

func TestTheRuleSetSCIMSetup(t *testing.T) {
	got := of(t, "profile: scimsetup")
	if got.Tokens.Max != 1 || !got.Tokens.Replace || cmp.Diff([]string{"userName"}, got.Users.Upsert.By) != "" || cmp.Diff([]string{"userName"}, got.Users.Rules.MailAddresses) != "" {
		t.Errorf("%+v", got)
	}
	if d := cmp.Diff(Protocol{}, got.Protocol); d != "" {
		t.Error(d)
	}
}

// A key of the file that a profile gives something else to says where they meet.
func TestMeAndAProfileWithoutIt(t *testing.T) {
	_, _, err := load(t, "    directory: corp\n", "    directory: corp\n    profile: cloudsso\n    me: {by: userName}\n")
	if err == nil || !strings.Contains(err.Error(), "Me cannot be off where the key me offers it") {
		t.Errorf("%v", err)
	}
	if me := of(t, "profile: cloudsso", "me: {by: userName}", "protocol: {off: [Bulk, .search]}").Me; me == nil {
		t.Error("Me is not there")
	}
}
