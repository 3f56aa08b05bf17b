package slapd

import (
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWithDefaults(t *testing.T) {
	cfg, err := Config{Dir: t.TempDir()}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen != "127.0.0.1:0" || cfg.AdminDN != "cn=admin,dc=example,dc=org" || len(cfg.AdminPassword) < 16 {
		t.Errorf("defaults: %+v", cfg)
	}
}

func TestRefusedConfig(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no folder":             {},
		"every interface":       {Dir: "d", Listen: ":3890"},
		"another interface":     {Dir: "d", Listen: "192.0.2.1:3890"},
		"no port":               {Dir: "d", Listen: "127.0.0.1"},
		"ldaps without TLS":     {Dir: "d", ListenTLS: "127.0.0.1:0"},
		"ldaps everywhere":      {Dir: "d", ListenTLS: ":0", TLS: &TLS{}},
		"line break in a value": {Dir: "d", Suffix: "dc=example\nrootpw x"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := cfg.withDefaults(); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// fakeInstallation is a folder that looks like one, so that these tests need no slapd.
func fakeInstallation(t *testing.T, modules ...string) installation {
	t.Helper()
	dir := t.TempDir()
	for _, m := range modules {
		if err := os.WriteFile(filepath.Join(dir, m+".so"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return installation{binary: "/usr/sbin/slapd", modules: dir, schemas: "/etc/ldap/schema"}
}

func TestRender(t *testing.T) {
	inst := fakeInstallation(t, "back_mdb", "ppolicy", "memberof", "unique")
	tests := map[string]struct {
		cfg     Config
		with    []string
		without []string
	}{
		"plain": {
			with: []string{
				"include \"/etc/ldap/schema/inetorgperson.schema\"\n",
				"scimgate.schema\"\n", "moduleload back_mdb\n", "sizelimit unlimited\n",
				"rootpw \"{SSHA}hash\"\n", "index scimExternalId eq\n", "maxsize 4294967296\n",
				"access to attrs=userPassword by self write by anonymous auth by * none\n",
			},
			without: []string{"groupofmembers", "overlay", "TLS", "dbnosync", "secret"},
		},
		"no gateway schema": {
			cfg:     Config{NoScimSchema: true},
			without: []string{"scimgate.schema", "index scim"},
		},
		"ppolicy": {
			cfg: Config{Overlays: []string{"ppolicy"}},
			with: []string{
				"moduleload ppolicy\n",
				"overlay ppolicy\nppolicy_default \"cn=default,ou=policies,dc=example,dc=org\"\nppolicy_hash_cleartext\n",
			},
		},
		"an overlay that is built in": {
			cfg:     Config{Overlays: []string{"refint"}},
			with:    []string{"overlay refint\n", "refint_nothing \"cn=nobody,dc=example,dc=org\"\n"},
			without: []string{"moduleload refint"},
		},
		"own settings": {
			cfg:     Config{Overlays: []string{"unique\nunique_uri ldap:///?employeeNumber?sub"}},
			with:    []string{"moduleload unique\n", "overlay unique\nunique_uri ldap:///?employeeNumber?sub\n"},
			without: []string{"?mail?"},
		},
		"both kinds of group": {
			cfg: Config{GroupSchema: true, Overlays: []string{"memberof"}},
			with: []string{
				"groupofmembers.schema\"\n", "memberof-group-oc groupOfNames\n", "memberof-group-oc groupOfMembers\n",
			},
		},
		"TLS": {
			cfg:  Config{TLS: &TLS{CertFile: "/c.pem", KeyFile: "/k.pem"}},
			with: []string{"TLSCertificateFile \"/c.pem\"\n", "TLSCertificateKeyFile \"/k.pem\"\n"},
		},
		"own lines": {
			cfg: Config{
				GlobalConf: []string{"serverID 1"}, DatabaseConf: []string{"multiprovider on"},
				Access: []string{"to * by users write"},
			},
			with:    []string{"serverID 1\n", "multiprovider on\n", "access to * by users write\n"},
			without: []string{"by anonymous auth"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.cfg.Dir, test.cfg.AdminPassword = "/srv/demo", "secret"
			cfg, err := test.cfg.withDefaults()
			if err != nil {
				t.Fatal(err)
			}
			got := cfg.render(inst, "{SSHA}hash")
			for _, s := range test.with {
				if !strings.Contains(got, s) {
					t.Errorf("lacks %q", s)
				}
			}
			for _, s := range test.without {
				if strings.Contains(got, s) {
					t.Errorf("has %q", s)
				}
			}
			if t.Failed() {
				t.Log(got)
			}
		})
	}
}

func TestModuleIsLoadedOnce(t *testing.T) {
	cfg := Config{Overlays: []string{"unique\nunique_uri ldap:///?uid", "unique\nunique_uri ldap:///?mail"}}
	if n := strings.Count(cfg.render(fakeInstallation(t, "unique"), ""), "moduleload unique"); n != 1 {
		t.Errorf("loaded %d times", n)
	}
}

func TestQuote(t *testing.T) {
	if got, want := quote(`dc=a\,"b"`), `"dc=a\\,\"b\""`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestBaseEntries(t *testing.T) {
	cfg := Config{Suffix: "dc=example,dc=org", Overlays: []string{"ppolicy"}, Entries: "dn: cn=more,dc=example,dc=org\n"}
	got, err := cfg.baseEntries()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"dn: dc=example,dc=org\nobjectClass: organization\nobjectClass: dcObject\ndc: example\n",
		"dn: ou=people,", "dn: ou=groups,", "pwdLockout: TRUE\n", "\n\ndn: cn=more,",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q:\n%s", want, got)
		}
	}
	if got, err = (Config{Suffix: "o=Example"}).baseEntries(); err != nil || strings.Contains(got, "policies") {
		t.Errorf("without ppolicy: %v\n%s", err, got)
	}
	if _, err = (Config{Suffix: "cn=example"}).baseEntries(); err == nil {
		t.Error("a suffix of cn= was accepted")
	}
	if got, err = (Config{Suffix: "dc=org", Empty: true}).baseEntries(); err != nil || got != "" {
		t.Errorf("empty: %v %q", err, got)
	}
}

func TestLDIFLine(t *testing.T) {
	for value, want := range map[string]string{
		"plain":   "o: plain\n",
		"Müller":  "o:: " + base64.StdEncoding.EncodeToString([]byte("Müller")) + "\n",
		" first":  "o:: IGZpcnN0\n",
		"last ":   "o:: bGFzdCA=\n",
		"<a":      "o:: PGE=\n",
		"a: b":    "o: a: b\n",
		"a\ndn: ": "o:: YQpkbjog\n",
	} {
		if got := ldifLine("o", value); got != want {
			t.Errorf("%q: got %q, want %q", value, got, want)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	plain, binary := filepath.Join(dir, "plain"), filepath.Join(dir, "binary")
	for path, mode := range map[string]os.FileMode{plain: 0o600, binary: 0o700} {
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := find([]string{dir, plain, binary}); got != binary || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	// What it says where there is none must name the remedy.
	_, err := find([]string{plain})
	if !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "apt-get install slapd") {
		t.Errorf("got %v", err)
	}
}
