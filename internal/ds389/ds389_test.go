package ds389

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRefusedConfig(t *testing.T) {
	for name, cfg := range map[string]Config{
		"no folder":             {},
		"every interface":       {Dir: "d", Listen: ":3890"},
		"another interface":     {Dir: "d", Listen: "192.0.2.1:3890"},
		"no port":               {Dir: "d", Listen: "127.0.0.1"},
		"ldaps everywhere":      {Dir: "d", ListenTLS: "0.0.0.0:0"},
		"line break in a rule":  {Dir: "d", Access: []string{"(x)\ndn: cn=config"}},
		"line break in a value": {Dir: "d", Plugins: Plugins{Unique: []string{"uid\nx: y"}}},
		"no value":              {Dir: "d", Conf: []string{"nsslapd-sizelimit 10"}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := cfg.withDefaults(); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// template is as little of the server's own as settle needs.
const template = `# a comment
dn: cn=config
nsslapd-port: %ds_port%
nsslapd-rootdn: %rootdn%
aci: a rule that is
  folded


dn: cn=MemberOf Plugin,cn=plugins,cn=config
nsslapd-pluginenabled: off

dn: cn=referential integrity postoperation,cn=plugins,cn=config
nsslapd-pluginenabled: off
referint-membership-attr: member

dn: cn=USN,cn=plugins,cn=config
nsslapd-pluginenabled: off

dn: cn=config,cn=ldbm database,cn=plugins,cn=config
nsslapd-directory: %db_dir%

dn: cn=default indexes, cn=config,cn=ldbm database,cn=plugins,cn=config
cn: default indexes
`

// fakeInstallation is a folder that looks like one, so that these tests need no server.
func fakeInstallation(t *testing.T) installation {
	t.Helper()
	inst := installation{share: t.TempDir(), version: "2.3.1"}
	if err := os.Mkdir(filepath.Join(inst.share, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"template-dse.ldif": template, "template-suffix-db.ldif": "dn: cn=%ds_bename%,cn=ldbm\n"} {
		if err := os.WriteFile(filepath.Join(inst.share, "data", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return inst
}

// configuration is the dse.ldif that a Config leads to.
func configuration(t *testing.T, cfg Config, inst installation) string {
	t.Helper()
	cfg.Dir, cfg.Listen = t.TempDir(), "127.0.0.1:3890"
	cfg, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	if err := cfg.write(inst); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(cfg.path("etc/dse.ldif"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestConfiguration(t *testing.T) {
	inst := fakeInstallation(t)
	plain := configuration(t, Config{AdminPassword: "secret"}, inst)
	for _, want := range []string{
		"nsslapd-port: 3890\n", "nsslapd-listenhost: 127.0.0.1\n", "nsslapd-securelistenhost: 127.0.0.1\n",
		"nsslapd-rootdn: cn=Directory Manager\n", "aci: a rule that is folded\n", "dn: cn=userRoot,cn=ldbm\n", "cn: employeeNumber\n",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("not in the configuration: %q", want)
		}
	}
	for _, not := range []string{"secret", "%", "pluginEnabled: on", "scimExternalId", "\n\n\n"} {
		if strings.Contains(plain, not) {
			t.Errorf("in the configuration: %q", not)
		}
	}
	full := configuration(t, Config{
		Plugins: Plugins{MemberOf: true, RefInt: true, USN: true, Unique: []string{"mail"}}, ScimSchema: true,
		Conf: []string{"nsslapd-port: 1"},
	}, inst)
	for _, want := range []string{
		"cn: scimExternalId\n", "uniqueness-attribute-name: mail\n", "referint-membership-attr: manager\n", "nsslapd-port: 1\n",
	} {
		if !strings.Contains(full, want) {
			t.Errorf("not in the configuration: %q", want)
		}
	}
	if n := strings.Count(full, "nsslapd-pluginEnabled: on\n"); n != 4 || strings.Contains(full, "pluginenabled: off") {
		t.Errorf("%d plugins are on: %s", n, full)
	}
}

func TestTemplateOfAnotherVersion(t *testing.T) {
	cfg := Config{Dir: t.TempDir(), Plugins: Plugins{USN: true}}
	cfg, err := cfg.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	inst := fakeInstallation(t)
	for name, text := range map[string]string{
		"an entry is missing":  strings.ReplaceAll(template, "cn=USN", "cn=Other"),
		"a value is not known": template + "x: %new_dir%\n",
	} {
		if err := os.WriteFile(filepath.Join(inst.share, "data/template-dse.ldif"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg.Listen = "127.0.0.1:3890"
		if err := cfg.write(inst); err == nil {
			t.Errorf("%s, and nobody says so", name)
		}
	}
}

func TestDatabase(t *testing.T) {
	for version, want := range map[string]string{"1.4.4.19": "bdb", "2.3.1": "bdb", "3.1.2": "mdb", "": "mdb"} {
		if got := (installation{version: version}).database(); got != want {
			t.Errorf("version %q: %s", version, got)
		}
	}
}

func TestComplete(t *testing.T) {
	const done = "[..] - INFO - Import complete.  Processed 2 entries in 1 seconds.\n"
	const two = "dn: dc=org\ndc: org\n\nDN:: b3U9eCxkYz1vcmc=\nou: x\n"
	for name, c := range map[string]struct {
		ldif, log string
		ok        bool
	}{
		"all":                {two, done, true},
		"one is elsewhere":   {two + "\ndn: dc=com\n", done, false},
		"one is no entry":    {two + "\nnonsense\n", "[..] - WARN - import - Skipping bad LDIF entry\n" + done, false},
		"it says it no more": {two, "", true},
	} {
		if err := complete(c.ldif, c.log); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	if said := faults(done + "[..] - WARN - which violates schema\n"); strings.Contains(said, "complete") || !strings.Contains(said, "violates schema") {
		t.Errorf("faults: %q", said)
	}
}
