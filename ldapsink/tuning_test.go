package ldapsink

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

func entry(dn string, attributes map[string][]string) *ldap.Entry {
	return ldap.NewEntry(dn, attributes)
}

// Each kind of server is known by its root DSE, and others by none.
func TestFits(t *testing.T) {
	for want, dse := range map[string]map[string][]string{
		openLDAP:        {"objectClass": {"top", "OpenLDAProotDSE"}},
		activeDirectory: {"supportedCapabilities": {"1.2.840.113556.1.4.800"}},
		ds389:           {"vendorName": {"389 Project"}, "objectClass": {"top"}},
		"":              {"vendorName": {"Somebody"}, "objectClass": {"top"}},
	} {
		if got := fits(entry("", dse)); got != want {
			t.Errorf("%v fits %q, want %q", dse, got, want)
		}
	}
	if got := fits(entry("", map[string][]string{"forestFunctionality": {"4"}})); got != activeDirectory {
		t.Errorf("forestFunctionality fits %q", got)
	}
}

func TestUniqueOf(t *testing.T) {
	for uri, want := range map[string][]string{
		"ldap:///ou=people,dc=x?uid,mail?sub": {"uid", "mail"}, "strict ldap:///?cn?sub?(x=y)": {"cn"}, "ldap:///": nil, "ldap:///??sub": nil,
	} {
		if got := uniqueOf(uri); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", uri, got, want)
		}
	}
}

// The settings of a base are those of the longest suffix above it.
func TestHolding(t *testing.T) {
	found := []*ldap.Entry{
		entry("a", map[string][]string{"s": {"dc=org"}}), entry("b", map[string][]string{"s": {"dc=Example, dc=org"}}), entry("c", map[string][]string{"s": {"dc=com"}}),
	}
	for base, want := range map[string]string{"ou=p,dc=example,dc=org": "b", "dc=example,dc=org": "b", "ou=p,dc=other,dc=org": "a", "dc=net": ""} {
		got := ""
		if e := holding(found, "s", base); e != nil {
			got = e.DN
		}
		if got != want {
			t.Errorf("%s is held by %q, want %q", base, got, want)
		}
	}
}

// What 389 DS answers to the control is read attribute by attribute.
func TestRightsOf(t *testing.T) {
	r := rightsOf(entry("x", map[string][]string{"entryLevelRights": {"vd"}, "attributeLevelRights": {"cn:rscwo, sn:rsc, mail:none", "Title:w"}}))
	if *r.Add || !*r.Delete || *r.Rename || !r.Writes("CN") || r.Writes("sn") || r.Writes("mail") || !r.Writes("title;lang-de") || r.Writes("uid") || !r.Any() || r.Creates("person") {
		t.Errorf("read as %+v", r)
	}
	if r := rightsOf(entry("x", map[string][]string{"entryLevelRights": {"none"}, "attributeLevelRights": {"*:none"}})); r.Any() || *r.Add {
		t.Errorf("none is read as %+v", r)
	}
	if rightsOf(entry("x", nil)) != nil {
		t.Error("an entry without an answer has rights")
	}
}

// Why a server could not be used is told from the error of a probe.
func TestWhy(t *testing.T) {
	refused := func(code uint16, text string) error {
		return &dialError{"ldap://x", &stepError{StepBind, fmt.Errorf("%w", &ldap.Error{ResultCode: code, Err: errors.New(text)})}}
	}
	const data = "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 775, v1db1"
	for name, tc := range map[string]struct {
		err  error
		want Refusal
	}{
		"dial":     {&dialError{"ldap://x", errors.New("connection refused")}, Refusal{Step: StepDial}},
		"bind":     {refused(49, ""), Refusal{Step: StepBind, Code: 49}},
		"locked":   {refused(49, data), Refusal{Step: StepBind, Code: 49, Data: "775"}},
		"TLS":      {&dialError{"x", &stepError{StepTLS, errors.New("EOF")}}, Refusal{Step: StepTLS}},
		"stranger": {&dialError{"x", &stepError{StepTLS, errors.New("tls: failed to verify certificate: x509: certificate signed by unknown authority")}}, Refusal{Step: StepTLS, Untrusted: true}},
		"expired":  {&dialError{"x", &stepError{StepStartTLS, errors.New("tls: failed to verify certificate: x509: certificate has expired or is not yet valid: x")}}, Refusal{Step: StepStartTLS, Untrusted: true, Expired: true}},
		"name":     {&dialError{"x", &stepError{StepTLS, errors.New("tls: failed to verify certificate: x509: certificate is valid for a, not b")}}, Refusal{Step: StepTLS, Untrusted: true, OtherName: true}},
	} {
		if got := Why(tc.err); got != tc.want {
			t.Errorf("%s: %+v, want %+v", name, got, tc.want)
		}
	}
}
