package config

import (
	"slices"
	"strings"
	"testing"
)

// sparse is a tenant that leaves to the flavor what the flavor can give.
const sparse = `
directories:
  corp:
    flavor: FLAVOR
    urls: [ldaps://ldap.example.com]
    bind: {dn: "cn=scimgate,dc=example,dc=org", password: "${TEST_PASSWORD}"}
tenants:
  - name: okta
    directory: corp
    users:
      base: ou=people,dc=example,dc=org
      attributes:
        - {scim: userName, ldap: USER, required: true, unique: true}
        - {scim: externalId, ldap: employeeNumber, unique: true}
        - {scim: displayName, ldap: displayName}
        - {ldap: cn, template: '{{ coalesce .displayName .userName }}'}
    groups:
      base: ou=groups,dc=example,dc=org
      attributes:
        - {scim: displayName, ldap: cn, required: true, unique: true}
        - {scim: externalId, ldap: description}
        - {scim: members, ldap: member, reference: [User, Group]}
`

func loadSparse(t *testing.T, flavor, user string) *Config {
	t.Helper()
	text := strings.NewReplacer("FLAVOR", flavor, "USER", user).Replace(sparse)
	c, _, err := read("sparse.yaml", []byte(text), func(string) (string, bool) { return "secret", true })
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAFlavorPresetsWhatTheFileLeavesOpen(t *testing.T) {
	for flavor, want := range map[string]struct{ user, rdn, class, marker, lock string }{
		"openldap":        {"uid", "uid", "inetOrgPerson", "scimState", "pwdAccountLockedTime"},
		"389ds":           {"uid", "uid", "inetOrgPerson", "scimState", "nsAccountLock"},
		"activeDirectory": {"userPrincipalName", "cn", "user", "adminDescription", "userAccountControl"},
	} {
		t.Run(flavor, func(t *testing.T) {
			users := loadSparse(t, flavor, want.user).Tenants[0].Users
			lock := ""
			for _, s := range users.Deactivate {
				switch {
				case s.Set != nil:
					lock = s.Set.LDAP
				case s.Bit != nil:
					lock = s.Bit.LDAP
				}
			}
			if users.RDN.LDAP != want.rdn || users.Marker.State != want.marker || lock != want.lock ||
				!slices.Contains(users.ObjectClasses, want.class) || users.StableKey != "externalId" {
				t.Errorf("%+v", users)
			}
		})
	}
}

func TestThePresetOfActiveDirectoryGivesWhatItDemands(t *testing.T) {
	tenant := loadSparse(t, "activeDirectory", "userPrincipalName").Tenants[0]
	if _, of, _, ok := tenant.Users.Origin("sAMAccountName"); !ok || !strings.HasPrefix(of, "template") {
		t.Error("nothing gives users a sAMAccountName")
	}
	for _, name := range []string{"sAMAccountName", "groupType"} {
		if _, _, _, ok := tenant.Groups.Origin(name); !ok {
			t.Errorf("nothing gives groups a %s", name)
		}
	}
	// What the file says itself stands.
	own := loadSparse(t, "activeDirectory", "sAMAccountName").Tenants[0].Users
	if _, of, _, _ := own.Origin("sAMAccountName"); of != "userName" {
		t.Errorf("sAMAccountName comes from %q", of)
	}
}

func TestPresetsAreReadable(t *testing.T) {
	files, err := presetFiles.ReadDir("presets")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if _, err := presetOf(strings.TrimSuffix(f.Name(), ".yaml")); err != nil {
			t.Error(err)
		}
	}
}
