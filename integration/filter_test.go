//go:build integration

package integration

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// Filters find what they say, on every mapped attribute, and nothing of others.
func TestFilters(t *testing.T) {
	t.Parallel()
	g := fresh(t)
	c := g.client(t)
	boss := c.create(person("boss", object{"externalId": "Ext-B", "title": "Chief (all)", "displayName": "The Boss",
		"emails": []object{{"type": "work", "primary": true, "value": "Boss@Example.org"}}, "userType": "Employee"}))
	ann := c.create(person("ann", object{"externalId": "ext-a", "nickName": "Annie", "title": "clerk",
		"emails":       []object{{"type": "work", "primary": true, "value": "ann@example.org"}, {"type": "home", "value": "ann@home.example"}},
		"phoneNumbers": []object{{"type": "mobile", "value": "+1 555 0100"}},
		enterpriseURN:  object{"department": "Sales", "employeeNumber": "7", "manager": object{"value": boss}}}))
	bob := c.create(person("bob", object{"active": false, "name": object{"givenName": "Bob", "familyName": "Ünal"}, "emails": []object{},
		"addresses": []object{{"type": "work", "locality": "Köln", "country": "DE"}}, enterpriseURN: object{"department": "Sales"}}))
	names := map[string]string{boss: "boss", ann: "ann", bob: "bob"}
	yesterday := time.Now().Add(-24 * time.Hour).UTC().Format(time.RFC3339)
	tomorrow := time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339)
	for filter, want := range map[string]string{
		`userName eq "ann"`:            "ann",
		`USERNAME EQ "ANN"`:            "ann",
		`userName eq ann`:              "ann",
		userURN + `:userName eq "ann"`: "ann",
		`userName eq "nobody"`:         "",
		`userName ne "ann"`:            "bob boss",
		`userName sw "b"`:              "bob boss",
		`userName ew "b"`:              "bob",
		`userName co "o"`:              "bob boss",
		`userName gt "ann"`:            "bob boss",
		`userName le "bob"`:            "ann bob",
		`userName pr`:                  "ann bob boss",
		`nickName pr`:                  "ann",
		`not (nickName pr)`:            "bob boss",
		`externalId eq "ext-a"`:        "ann",
		`externalId eq "EXT-A"`:        "",
		`externalId eq "Ext-B"`:        "boss",
		`externalId pr`:                "ann boss",
		`id eq "` + ann + `"`:          "ann",
		`id eq "` + nobody + `"`:       "",
		`id eq "nonsense"`:             "",
		`active eq true`:               "ann boss",
		`active eq false`:              "bob",
		`active eq "True"`:             "ann boss",
		`active ne true`:               "bob",
		`title eq "Chief (all)"`:       "boss",
		`title co "(all"`:              "boss",
		`displayName eq "the boss"`:    "boss",
		`name.familyName eq "ünal"`:    "bob",
		`name.familyName eq "Lee" and name.givenName eq "Ann"`:   "ann boss",
		`emails eq "ann@example.org"`:                            "ann",
		`emails.value eq "ANN@EXAMPLE.ORG"`:                      "ann",
		`email.value eq "ann@example.org"`:                       "ann",
		`emails[type eq "work"].value eq "boss@example.org"`:     "boss",
		`emails[type eq "work" and value eq "boss@example.org"]`: "boss",
		`emails[type eq "work" and value eq "ann@home.example"]`: "",
		`emails[type eq "home"].value eq "ann@home.example"`:     "ann",
		`emails[type eq "work" and value co "@example"]`:         "ann boss",
		`emails pr`:              "ann boss",
		`emails[type eq "home"]`: "ann",
		`emails[primary eq true].value eq "ann@example.org"`:           "ann",
		`phoneNumbers[type eq "mobile"].value pr`:                      "ann",
		`addresses[type eq "work"].locality eq "köln"`:                 "bob",
		enterpriseURN + `:department eq "sales"`:                       "ann bob",
		enterpriseURN + `:manager eq "` + boss + `"`:                   "ann",
		enterpriseURN + `:manager.value eq "` + boss + `"`:             "ann",
		`manager eq "` + boss + `"`:                                    "ann",
		`id eq "` + ann + `" and manager eq "` + boss + `"`:            "ann",
		`id eq "` + bob + `" and manager eq "` + boss + `"`:            "",
		`manager eq "` + nobody + `"`:                                  "",
		`userName eq "ann" or userName eq "bob"`:                       "ann bob",
		`userName eq "ann" or userName eq "bob" and active eq true`:    "ann",
		`(userName eq "ann" or userName eq "bob") and active eq false`: "bob",
		`not (userName eq "ann") and active eq true`:                   "boss",
		`not (userName eq "ann" or active eq false)`:                   "boss",
		`userType eq "Employee" and not (title pr)`:                    "",
		`meta.lastModified gt "` + yesterday + `"`:                     "ann bob boss",
		`meta.lastModified gt "` + tomorrow + `"`:                      "",
		`meta.created lt "` + tomorrow + `"`:                           "ann bob boss",
		`meta.resourceType eq "User"`:                                  "ann bob boss",
		`userName eq "a*"`:                                             "",
		`userName sw "*"`:                                              "",
		`title eq "Chief \\28all\\29"`:                                 "",
	} {
		a := c.get("/Users?filter=" + url.QueryEscape(filter))
		if a.status != http.StatusOK {
			t.Errorf("%s: %d %s", filter, a.status, a.raw)
			continue
		}
		var got []string
		for _, id := range a.ids() {
			got = append(got, names[id])
		}
		if slices.Sort(got); strings.Join(got, " ") != want || a.total() != len(got) {
			t.Errorf("%s: %v (totalResults %d), want %s", filter, got, a.total(), want)
		}
	}
	groupFilters(t, c, ann, bob)
}

func groupFilters(t *testing.T, c *client, ann, bob string) {
	t.Helper()
	sales := c.post("/Groups", object{"displayName": "Sales + More", "externalId": "G-1", "members": values(ann, bob)}).want(http.StatusCreated).id()
	empty := c.createGroup("Empty")
	outer := c.createGroup("Outer", sales)
	names := map[string]string{sales: "sales", empty: "empty", outer: "outer"}
	for filter, want := range map[string]string{
		`displayName eq "sales + more"`:                      "sales",
		`externalId eq "G-1"`:                                "sales",
		`externalId eq "g-1"`:                                "",
		`members eq "` + ann + `"`:                           "sales",
		`members.value eq "` + bob + `"`:                     "sales",
		`members[value eq "` + ann + `"]`:                    "sales",
		`members eq "` + sales + `"`:                         "outer",
		`members eq "` + nobody + `"`:                        "",
		`id eq "` + sales + `" and members eq "` + ann + `"`: "sales",
		`id eq "` + empty + `" and members eq "` + ann + `"`: "",
		`members pr`:             "outer sales",
		`not (members pr)`:       "empty",
		`displayName co "e"`:     "empty outer sales",
		`displayName ne "Empty"`: "outer sales",
	} {
		a := c.get("/Groups?excludedAttributes=members&filter=" + url.QueryEscape(filter))
		var got []string
		for _, r := range a.want(http.StatusOK).resources() {
			id, _ := r["id"].(string)
			got = append(got, names[id])
			if r["members"] != nil {
				t.Errorf("%s: members are shown", filter)
			}
		}
		if slices.Sort(got); strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", filter, got, want)
		}
	}
}
