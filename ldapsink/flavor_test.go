package ldapsink

import (
	"errors"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/go-cmp/cmp"

	"scimgate/internal/directory"
)

// Which entry was made first follows from what later writes do not change.
func TestOlderGoesByWhatStays(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	made := func(n string) directory.Attributes { return directory.Attributes{"uSNCreated": {n}} }
	for _, tc := range []struct {
		name, flavor string
		a, b         directory.Entry
	}{
		{"time", openLDAP, directory.Entry{Created: at, Version: "9"}, directory.Entry{Created: at.Add(time.Second), Version: "1"}},
		{"moment in the UUID", openLDAP,
			directory.Entry{ID: "ffffffff-5d0e-103f-8a5d-c5ad3c1e5f4a", Version: "later, it was written again"},
			directory.Entry{ID: "00000000-5d0f-103f-8a5d-c5ad3c1e5f4a", Version: "early"}},
		{"moment in the unique id", ds389,
			directory.Entry{ID: "ce38fe8b-e85211f1-ab1880e2-67497ebd", Version: "z"},
			directory.Entry{ID: "ce38fe8c-e85211f1-ab1880e2-67497ebd", Version: "a"}},
		{"number, as one", activeDirectory,
			directory.Entry{Attributes: made("9999"), Version: "20001"}, directory.Entry{Attributes: made("10000"), Version: "10000"}},
		{"version", generic,
			directory.Entry{ID: "ffffffff-5d0e-403f-8a5d-c5ad3c1e5f4a", Version: "1"},
			directory.Entry{ID: "00000000-5d0e-403f-8a5d-c5ad3c1e5f4a", Version: "2"}},
		{"id", generic, directory.Entry{ID: "a"}, directory.Entry{ID: "b"}},
	} {
		if f := flavors[tc.flavor]; !f.older(tc.a, tc.b) || f.older(tc.b, tc.a) {
			t.Errorf("%s: the order is wrong", tc.name)
		}
	}
}

func TestRenderForActiveDirectory(t *testing.T) {
	r := renderer{flavor: flavors[activeDirectory], state: "info"}
	op := func(op directory.FilterOp, attribute, value string) directory.Filter {
		return directory.Filter{Op: op, Attribute: attribute, Value: value}
	}
	for _, tc := range []struct {
		filter directory.Filter
		want   string
	}{
		{directory.Eq(directory.AttrID, "0beb88aa-14f6-4d23-8b57-6c0c7286f508"), "(objectGUID=\\aa\\88\\eb\x0b\\f6\x14#M\\8bWl\x0cr\\86\\f5\x08)"},
		{op(directory.AtLeast, directory.AttrCreated, "2026-01-02T03:04:05Z"), "(whenCreated>=20260102030405.0Z)"},
		{op(directory.AtLeast, directory.AttrCreated, "2026-01-02T03:04:05.5Z"), "(whenCreated>=20260102030406.0Z)"},
		{op(directory.AtMost, directory.AttrModified, "2026-01-02T03:04:05.5Z"), "(whenChanged<=20260102030405.0Z)"},
		{op(directory.Equal, directory.AttrModified, "2026-01-02T03:04:05Z"), "(whenChanged=20260102030405.0Z)"},
		{op(directory.Equal, directory.AttrModified, "2026-01-02T03:04:05.5Z"), "(!(objectClass=*))"},
	} {
		if got, err := r.render(tc.filter); err != nil || got != tc.want {
			t.Errorf("%+v: %q, %v, wanted %q", tc.filter, got, err, tc.want)
		}
	}
}

// A filter is decided for one name, and for every other.
func TestWithName(t *testing.T) {
	all, none := directory.Filter{Op: directory.All}, directory.Filter{Op: directory.None}
	a, b, mail := directory.Eq(directory.AttrDN, "cn=A,o=x"), directory.Eq(directory.AttrDN, "cn=b,o=x"), directory.Eq("mail", "m")
	for _, tc := range []struct {
		name                string
		filter, here, other directory.Filter
	}{
		{"the name", a, all, none}, {"another", b, none, none}, {"not the name", directory.NotOf(a), none, all},
		{"either name", directory.OrOf(a, b), all, none}, {"both names", directory.AndOf(a, b), none, none},
		{"name and value", directory.AndOf(a, mail), directory.AndOf(mail), none}, {"name or value", directory.OrOf(b, mail), directory.Filter{Op: directory.Or, Filters: []directory.Filter{mail}}, directory.Filter{Op: directory.Or, Filters: []directory.Filter{mail}}},
		{"no name at all", mail, mail, mail}, {"not the value", directory.NotOf(mail), directory.NotOf(mail), directory.NotOf(mail)},
		{"deep", directory.AndOf(directory.OrOf(a, mail), directory.NotOf(directory.AndOf(a, mail))), directory.AndOf(directory.NotOf(directory.AndOf(mail))), directory.AndOf(directory.Filter{Op: directory.Or, Filters: []directory.Filter{mail}})},
	} {
		if d := cmp.Diff(tc.here, withName(tc.filter, directory.FoldDN("CN=a, o=x"))); d != "" {
			t.Errorf("%s, there: %s", tc.name, d)
		}
		if d := cmp.Diff(tc.other, withName(tc.filter, "")); d != "" {
			t.Errorf("%s, elsewhere: %s", tc.name, d)
		}
	}
}

// What servers say, word by word, and what is made of it.
func TestRefusalsOfOtherServers(t *testing.T) {
	for _, tc := range []struct {
		flavor            string
		code              uint16
		text              string
		kind              directory.Kind
		attribute, reason string
	}{
		{activeDirectory, 19, "0000202F: samldb: userPrincipalName 'eve@example.org' is already in use ", directory.Exists, "", ""},
		{activeDirectory, 19, "000021C8: AtrErr: DSID-03200BBA, #1:", directory.Exists, "", ""},
		{activeDirectory, 68, "00002071: samldb: samAccountName 'eve' already in use!", directory.Exists, "", ""},
		{activeDirectory, 16, "0000200A: objectclass_attrs: attribute 'x' on entry 'CN=a,DC=b' was not found in the schema!", directory.Internal, "", ""},
		{activeDirectory, 16, "attribute 'info': no matching attribute value while deleting attribute on 'CN=a,DC=b'", directory.Invalid, "info", ""},
		{activeDirectory, 20, "0000200D: SINGLE-VALUE attribute mail on CN=a,DC=b specified more than once", directory.Invalid, "mail", ""},
		{activeDirectory, 21, "0000200B: objectclass_attrs: attribute 'info' on entry 'CN=a' contains at least one invalid value!", directory.Invalid, "info", ""},
		{activeDirectory, 53, "00002035: setup_io: it's not allowed to set the NT hash password directly'", directory.Internal, "", ""},
		{activeDirectory, 19, "0000052D: Constraint violation - check_password_restrictions: the password is too short. It should be equal or longer than 7 characters!",
			directory.Invalid, "unicodePwd", "Password is too short"},
		{activeDirectory, 19, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0", directory.Invalid, "unicodePwd", "Password fails quality checking policy"},
		{ds389, 19, `Another entry with the same attribute value already exists (attribute: "mail ")`, directory.Exists, "", ""},
		{ds389, 65, `missing attribute "sn" required by object class "person"`, directory.Invalid, "sn", ""},
		{ds389, 65, `attribute "nosuch" not allowed`, directory.Invalid, "nosuch", ""},
		{ds389, 19, "The value is not 7-bit clean: nü", directory.Invalid, "", ""},
		{ds389, 19, "invalid password syntax - password must be at least 8 characters long", directory.Invalid, "userPassword", "Password is too short"},
		{ds389, 19, "invalid password syntax - password must contain at least 1 digit characters", directory.Invalid, "userPassword", "Password fails quality checking policy"},
		{ds389, 19, "password in history", directory.Invalid, "userPassword", "Password is in history of old passwords"},
	} {
		st := &store{Sink: &Sink{flavor: flavors[tc.flavor]}}
		err := wrap("modify", st.refused(t.Context(), directory.Entry{}, ldap.NewError(tc.code, errors.New(tc.text))))
		var e *directory.Error
		if !errors.As(err, &e) || e.Kind != tc.kind || e.Attribute != tc.attribute && e.Kind != directory.Exists || e.Reason != tc.reason {
			t.Errorf("%s: %+v", tc.text, e)
		}
	}
}

func TestContentRulesAndWhatTheDirectorySupplies(t *testing.T) {
	schema := parseSchema(
		[]string{"( 1.1 NAME 'mail' SYNTAX '1.3.6.1.4.1.1466.115.121.1.15' )", "( 1.2 NAME 'sid' SYNTAX '1.3.6.1.4.1.1466.115.121.1.40' )"},
		[]string{"( 2.1 NAME 'user' SUP top STRUCTURAL MUST (cn ) MAY (mail ) )", "( 2.2 NAME 'principal' AUXILIARY MUST (sid $ account ) MAY (x ) )"})
	schema.addContentRules([]string{"( 2.1 NAME 'user' AUX ( principal ) MUST (y ) MAY (z ) )", "( 9.9 NAME 'nobody' AUX ( principal ) )"})
	schema.filled["sid"] = true
	must, may, _ := schema.Allowed([]string{"User"})
	if d := cmp.Diff([][]string{{"account", "cn", "y"}, {"mail", "sid", "x", "z"}}, [][]string{must, may}); d != "" {
		t.Error(d)
	}
}
