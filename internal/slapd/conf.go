package slapd

import (
	"crypto/rand"
	"crypto/sha1" // the hash of OpenLDAP's {SSHA}, which every build of slapd knows
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"scimgate/deploy/schema"
)

const defaultMaxSize = 4 << 30

// withDefaults fills in what was left out and refuses what cannot work.
func (c Config) withDefaults() (Config, error) {
	if c.Dir == "" {
		return c, errors.New("no data folder given")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, err
	}
	c.Dir = dir
	c.Suffix = or(c.Suffix, "dc=example,dc=org")
	c.AdminDN = or(c.AdminDN, "cn=admin,"+c.Suffix)
	c.AdminPassword = or(c.AdminPassword, rand.Text())
	c.Debug = or(c.Debug, "0")
	if c.MaxSize == 0 {
		c.MaxSize = defaultMaxSize
	}
	if c.Listen, err = loopback(or(c.Listen, "127.0.0.1:0")); err != nil {
		return c, err
	}
	if c.ListenTLS != "" {
		if c.TLS == nil {
			return c, errors.New("ListenTLS needs TLS")
		}
		if c.ListenTLS, err = loopback(c.ListenTLS); err != nil {
			return c, err
		}
	}
	for _, v := range []string{c.Dir, c.Suffix, c.AdminDN, c.AdminPassword} {
		if strings.ContainsAny(v, "\r\n\x00") {
			return c, fmt.Errorf("%q has a line break", v)
		}
	}
	if c.TLS != nil { // slapd reads its configuration wherever it was started
		t := *c.TLS
		for _, p := range []*string{&t.CertFile, &t.KeyFile, &t.CAFile} {
			if *p == "" {
				continue
			}
			if *p, err = filepath.Abs(*p); err != nil {
				return c, err
			}
		}
		c.TLS = &t
	}
	return c, nil
}

// loopback refuses an address that others could reach: this directory has an
// administrator's password on the screen and no TLS.
func loopback(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", fmt.Errorf("listen address: %w", err)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return "", fmt.Errorf("listen address %s is not on loopback", addr)
	}
	return net.JoinHostPort(host, port), nil
}

func or(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

func (c Config) path(name string) string { return filepath.Join(c.Dir, name) }

// args starts slapd in the foreground.
func (c Config) args() []string {
	urls := "ldap://" + c.Listen
	if c.ListenTLS != "" {
		urls += " ldaps://" + c.ListenTLS
	}
	return []string{"-f", c.path("slapd.conf"), "-h", urls, "-d", c.Debug}
}

// write puts slapd.conf and the schema into the folder. The password changes with the
// Config, not with the data, so this is done at every start.
func (c Config) write(inst installation) error {
	hash, err := ssha(c.AdminPassword)
	if err != nil {
		return err
	}
	files := map[string]string{
		"scimgate.schema":       schema.Scimgate,
		"groupofmembers.schema": schema.GroupOfMembers,
		"slapd.conf":            c.render(inst, hash),
	}
	for name, text := range files {
		if err := os.WriteFile(c.path(name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// ssha is the salted hash that slapd takes as a rootpw.
func ssha(password string) (string, error) {
	salt := make([]byte, 8)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	sum := sha1.Sum(append([]byte(password), salt...))
	return "{SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...)), nil
}

// indexes are what the gateway and its mappings search by. Without one a search reads
// every entry, and says nothing about it. The marker's state changes with every write and
// is never searched for alone, so it has none.
var (
	indexes = []string{
		"objectClass eq",
		"entryUUID,entryCSN eq",
		"uid,cn,mail eq",
		"employeeNumber eq",
		"member,uniqueMember,manager eq",
	}
	scimIndexes = []string{
		"scimExternalId eq",
		"scimSource eq",
	}
)

// defaultAccess hides passwords; everything else may be read, as in a stock directory.
// The administrator is above all rules.
var defaultAccess = []string{
	"to attrs=userPassword by self write by anonymous auth by * none",
	"to * by * read",
}

// render is slapd.conf.
func (c Config) render(inst installation, passwordHash string) string {
	var b conf
	b.line("# Written by scimgate at every start; changes are lost.")
	b.lines("", c.GlobalConf)
	for _, name := range []string{"core", "cosine", "inetorgperson", "nis"} {
		b.line("include %s", quote(filepath.Join(inst.schemas, name+".schema")))
	}
	if !c.NoScimSchema {
		b.line("include %s", quote(c.path("scimgate.schema")))
	}
	if c.GroupSchema {
		b.line("include %s", quote(c.path("groupofmembers.schema")))
	}
	c.renderModules(&b, inst)
	b.line("pidfile %s", quote(c.path("slapd.pid")))
	b.line("argsfile %s", quote(c.path("slapd.args")))
	b.line("threads 16")
	b.line("idletimeout 0")
	b.line("sizelimit unlimited")
	b.line("timelimit unlimited")
	if c.TLS != nil {
		c.TLS.render(&b)
	}

	b.line("\ndatabase mdb")
	b.line("suffix %s", quote(c.Suffix))
	b.line("rootdn %s", quote(c.AdminDN))
	b.line("rootpw %s", quote(passwordHash))
	b.line("directory %s", quote(c.path("db")))
	b.line("maxsize %d", c.MaxSize)
	// Every commit is synchronous unless dbnosync is set: what was answered is on disk.
	b.lines("index ", indexes)
	if !c.NoScimSchema {
		b.lines("index ", scimIndexes)
	}
	access := c.Access
	if access == nil {
		access = defaultAccess
	}
	b.lines("access ", access)
	b.lines("", c.DatabaseConf)
	for _, overlay := range c.Overlays {
		c.renderOverlay(&b, overlay)
	}
	return b.String()
}

// renderModules loads what is not built in.
func (c Config) renderModules(b *conf, inst installation) {
	if inst.modules == "" {
		return
	}
	b.line("modulepath %s", quote(inst.modules))
	names := []string{"back_mdb"}
	for _, overlay := range c.Overlays {
		name, _, _ := strings.Cut(overlay, "\n")
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if hasModule(inst.modules, name) {
			b.line("moduleload %s", name)
		}
	}
}

func (t *TLS) render(b *conf) {
	b.line("TLSCertificateFile %s", quote(t.CertFile))
	b.line("TLSCertificateKeyFile %s", quote(t.KeyFile))
	if t.CAFile != "" {
		b.line("TLSCACertificateFile %s", quote(t.CAFile))
	}
}

// overlays are the settings of an overlay that is asked for by its bare name; "SUFFIX"
// stands for the suffix. Settings of one's own follow the name, each on a line:
// "unique\nunique_uri ldap:///?employeeNumber?sub". What is not here needs none.
var overlays = map[string][]string{
	// A default policy is among the base entries. Without ppolicy_hash_cleartext a
	// password that arrives in an Add or a Modify would be stored as it came.
	"ppolicy": {`ppolicy_default "cn=default,ou=policies,SUFFIX"`, "ppolicy_hash_cleartext"},
	// A groupOfNames cannot lose its last member, so nobody takes the place.
	"refint":   {"refint_attributes member uniqueMember manager owner seeAlso", `refint_nothing "cn=nobody,SUFFIX"`},
	"memberof": {"memberof-group-oc groupOfNames", "memberof-member-ad member", "memberof-memberof-ad memberOf"},
	"unique":   {`unique_uri "ldap:///ou=people,SUFFIX?uid?sub"`, `unique_uri "ldap:///ou=people,SUFFIX?mail?sub"`},
	"syncprov": {"syncprov-checkpoint 100 10"},
}

func (c Config) renderOverlay(b *conf, overlay string) {
	name, own, given := strings.Cut(overlay, "\n")
	settings := overlays[name]
	if given {
		settings = strings.Split(own, "\n")
	}
	b.line("\noverlay %s", name)
	for _, line := range settings {
		b.line("%s", strings.ReplaceAll(line, "SUFFIX", escape(c.Suffix)))
	}
	if name == "memberof" && !given && c.GroupSchema {
		c.renderOverlay(b, "memberof\nmemberof-group-oc groupOfMembers")
	}
}

// conf is the text of a slapd.conf as it grows.
type conf struct{ strings.Builder }

func (b *conf) line(format string, args ...any) { fmt.Fprintf(b, format+"\n", args...) }

func (b *conf) lines(prefix string, lines []string) {
	for _, line := range lines {
		b.line("%s%s", prefix, line)
	}
}

func quote(s string) string { return `"` + escape(s) + `"` }

func escape(s string) string { return strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) }
