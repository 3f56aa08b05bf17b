//go:build integration

package integration

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"scimgate/internal/directory"
)

// staff is the LDIF of people whom the gateway made earlier, p00000 and on, and
// of groups by name of the first so many of them. It returns the groups' ids too.
func staff(t *testing.T, people int, groups map[string]int) (ldif string, ids map[string]string) {
	t.Helper()
	marker, err := directory.Marker{Source: "okta", State: directory.Active, Request: "STAFF", Since: time.Unix(1700000000, 0).UTC()}.Text()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for i := range people {
		fmt.Fprintf(&b, "dn: uid=p%05d,ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nobjectClass: scimgateObject\nuid: p%05d\nsn: P\ncn: P\n"+
			"scimState: %s\nscimSource: okta\nentryUUID: %s\n\n", i, i, marker, uuid.NewString())
	}
	ids = map[string]string{}
	for name, n := range groups {
		ids[name] = uuid.NewString()
		fmt.Fprintf(&b, "dn: cn=%s,ou=groups,dc=example,dc=org\nobjectClass: groupOfNames\nobjectClass: scimgateObject\ncn: %s\n"+
			"scimState: %s\nscimSource: okta\nentryUUID: %s\n", name, name, marker, ids[name])
		for i := range n {
			fmt.Fprintf(&b, "member: uid=p%05d,ou=people,dc=example,dc=org\n", i)
		}
		b.WriteByte('\n')
	}
	return b.String(), ids
}

// Groups of thousands are found by, and are shown, with few searches; what would
// take thousands of look-ups is refused with what to do instead.
func TestFiltersAndPagesOfLargeGroups(t *testing.T) {
	t.Parallel()
	const most = 8000
	ldif, ids := staff(t, most+1, map[string]int{"a": most, "b": most, "c": most, "mid": 600, "few": 3})
	s := usual()
	s.Entries, s.Database = ldif, []string{"dbnosync"}
	c := serve(t, s).client(t)
	ask := func(endpoint, filter string) *answer {
		t.Helper()
		return c.get("/" + endpoint + "?attributes=userName&filter=" + url.QueryEscape(filter))
	}
	for filter, want := range map[string]int{
		`groups eq "` + ids["a"] + `"`:                                                         most,
		`groups eq "` + ids["a"] + `" and active eq true`:                                      most,
		`groups eq "` + ids["a"] + `" and userName eq "p00017"`:                                1,
		`groups eq "` + ids["a"] + `" and userName eq "p08000"`:                                0,
		`groups eq "` + ids["a"] + `" and groups eq "` + ids["mid"] + `"`:                      600,
		`groups eq "` + ids["a"] + `" and not (groups eq "` + ids["mid"] + `")`:                most - 600,
		`groups eq "` + ids["a"] + `" and not (groups eq "` + ids["few"] + `")`:                most - 3,
		`groups eq "` + ids["mid"] + `" or userName eq "p08000"`:                               601,
		`groups eq "` + ids["a"] + `" or groups eq "` + ids["b"] + `" or userName eq "p08000"`: most + 1,
		`groups eq "` + ids["few"] + `" or userName eq "p08000"`:                               4,
		`not (groups eq "` + ids["a"] + `")`:                                                   1,
		`not (groups eq "` + ids["few"] + `") and userName sw "p0000"`:                         7,
		`groups.display eq "a"`:                                                                most,
		`groups[display eq "a" and type eq "direct"] and groups.display eq "mid"`:              600,
		`groups pr and userName sw "p000"`:                                                     100,
		`groups pr and userName sw "p0" and userName ew "8000"`:                                0,
		`groups[type eq "indirect"] and userName sw "p000"`:                                    0,
	} {
		if got := ask("Users", filter).want(http.StatusOK).total(); got != want {
			t.Errorf("%s: %d, want %d", filter, got, want)
		}
	}
	for filter, hint := range map[string]string{
		`groups pr`: "groups.value eq", `not (groups.type eq "direct")`: "groups.value eq", `groups ne "x"`: "groups.value eq",
	} {
		a := ask("Users", filter).wantError(http.StatusBadRequest, "tooMany")
		if !strings.Contains(a.text("$.detail"), hint) {
			t.Errorf("%s: %s", filter, a.raw)
		}
	}
	c.get("/Groups").wantError(http.StatusBadRequest, "tooMany")
	if a := c.get("/Groups?excludedAttributes=members"); a.want(http.StatusOK).total() != 5 {
		t.Errorf("%s", a.raw)
	}
	if a := c.get("/Groups?count=1&filter=displayName+eq+%22b%22").want(http.StatusOK); len(a.at("$.Resources[0].members").([]any)) != most {
		t.Error("a page of one large group does not show all members")
	}
	a := ask("Groups", `members.display eq "p00001"`).wantError(http.StatusBadRequest, "tooMany")
	if !strings.Contains(a.text("$.detail"), "displayName eq") {
		t.Errorf("%s", a.raw)
	}
	for filter, want := range map[string]int{
		`members.display eq "p00001" and displayName eq "mid"`: 1, `members.display eq "p08000" and displayName eq "a"`: 0,
		`members[type eq "Group"] and id eq "` + ids["c"] + `"`: 0,
	} {
		if got := ask("Groups", filter).want(http.StatusOK).total(); got != want {
			t.Errorf("%s: %d, want %d", filter, got, want)
		}
	}
}
