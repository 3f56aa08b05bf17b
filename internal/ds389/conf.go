package ds389

import (
	"crypto/rand"
	"crypto/sha512" // {SSHA512} is the strongest that is also quick to check
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"scimgate/deploy/schema"
)

const (
	adminDN = "cn=Directory Manager"
	backend = "userRoot"
)

// withDefaults fills in what was left out and refuses what cannot work.
func (c Config) withDefaults() (Config, error) {
	if c.Dir == "" {
		return c, errors.New("no data folder given")
	}
	var err error
	if c.Dir, err = filepath.Abs(c.Dir); err != nil {
		return c, err
	}
	if c.Listen, err = loopback(c.Listen); err != nil {
		return c, err
	}
	if c.ListenTLS, err = loopback(c.ListenTLS); err != nil {
		return c, err
	}
	if c.AdminPassword == "" {
		c.AdminPassword = rand.Text()
	}
	for _, line := range c.Conf {
		if name, _, ok := strings.Cut(line, ":"); !ok || strings.TrimSpace(name) == "" {
			return c, fmt.Errorf("%q is not an attribute of cn=config and its value", line)
		}
	}
	texts := append([]string{c.Dir, c.AdminPassword}, c.Plugins.Unique...)
	return c, lineBreak(append(append(texts, c.Access...), c.Conf...)...)
}

// folders are below the server's own, named as the template names them.
var folders = map[string]string{
	"schema_dir": "etc/schema", "config_dir": "etc", "cert_dir": "etc", "inst_dir": "inst", "run_dir": "run",
	"lock_dir": "lock", "tmp_dir": "tmp", "log_dir": "log", "db_dir": "db", "db_home_dir": "dbhome",
	"ldif_dir": "ldif", "bak_dir": "bak",
}

// write makes the folders and writes the configuration. The server itself rewrites
// dse.ldif while it runs; a Start makes it anew from the Config, a restart leaves it.
func (c Config) write(inst installation) error {
	values := map[string]string{
		"ds_suffix": suffix, "ds_bename": backend, "db_lib": inst.database(), "rootdn": adminDN, "fqdn": "localhost",
		"ldapi_enabled": "off", "ldapi_autobind": "off", "ldapi": c.path("run/ldapi"),
	}
	for name, dir := range folders {
		values[name] = c.path(dir)
		if err := os.MkdirAll(c.path(dir), 0o700); err != nil {
			return err
		}
	}
	var err error
	if values["ds_passwd"], err = ssha512(c.AdminPassword); err != nil {
		return err
	}
	if _, values["ds_port"], err = net.SplitHostPort(c.Listen); err != nil {
		return err
	}
	me, err := user.Current()
	if err != nil {
		return err
	}
	values["ds_user"] = me.Username
	if err := c.writeBeside(); err != nil {
		return err
	}
	d, err := readTemplates(inst, values)
	if err != nil {
		return err
	}
	if err := c.settle(d, inst); err != nil {
		return err
	}
	return os.WriteFile(c.path("etc/dse.ldif"), []byte(d.String()), 0o600)
}

// writeBeside writes the files that are beside dse.ldif. An instance has copies of those in
// /etc/dirsrv, which is closed to most users; no rules for collations is all that these lack.
func (c Config) writeBeside() error {
	files := map[string]string{
		"certmap.conf":          "certmap default default\n",
		"slapd-collations.conf": "",
		"schema/99user.ldif":    "dn: cn=schema\nobjectClass: top\nobjectClass: ldapSubentry\nobjectClass: subschema\ncn: schema\n",
	}
	if c.ScimSchema {
		files["schema/60scimgate.ldif"] = schema.Scimgate389DS
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(c.path("etc"), name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// settle makes the template's configuration ours.
func (c Config) settle(d *dse, inst installation) error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return err
	}
	hostTLS, portTLS, err := net.SplitHostPort(c.ListenTLS)
	if err != nil {
		return err
	}
	const config, database = "cn=config", "cn=config,cn=ldbm database,cn=plugins,cn=config"
	d.set(config, "nsslapd-listenhost", host)
	d.set(config, "nsslapd-securelistenhost", hostTLS)
	d.set(config, "nsslapd-secureport", portTLS)
	d.set(config, "nsslapd-security", "on")
	d.set(config, "nsslapd-extract-pemfiles", "off") // they would go to /tmp
	// Caches are a share of the machine's memory otherwise, as files.
	d.set(database, "nsslapd-cache-autosize", "0")
	d.set(database, "nsslapd-dbcachesize", "20000000")
	if inst.hasPlugin("libentryuuid-plugin") {
		// The server would add these to its configuration and know them from the next start on.
		d.plugin("entryuuid", "libentryuuid-plugin", "entryuuid_plugin_init", "betxnpreoperation")
		d.plugin("entryuuid_syntax", "libentryuuid-syntax-plugin", "entryuuid_syntax_plugin_init", "syntax")
	}
	c.plugins(d)
	c.indexes(d)
	for _, line := range c.Conf {
		name, value, _ := strings.Cut(line, ":")
		d.set(config, strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return d.err
}

func (c Config) plugins(d *dse) {
	const below = ",cn=plugins,cn=config"
	if c.Plugins.MemberOf {
		d.set("cn=MemberOf Plugin"+below, "nsslapd-pluginEnabled", "on")
	}
	if c.Plugins.RefInt {
		const refint = "cn=referential integrity postoperation" + below
		d.set(refint, "nsslapd-pluginEnabled", "on")
		d.append(refint, "referint-membership-attr", "manager")
	}
	if c.Plugins.USN {
		d.set("cn=USN"+below, "nsslapd-pluginEnabled", "on")
	}
	for _, attr := range c.Plugins.Unique {
		d.plugin("attribute uniqueness of "+attr, "libattr-unique-plugin", "NSUniqueAttr_Init", "betxnpreoperation",
			"nsslapd-plugin-depends-on-type: database",
			"uniqueness-attribute-name: "+attr, "uniqueness-subtrees: ou=people,"+suffix)
	}
}

// indexes are what the gateway searches by and a new instance has no index for.
func (c Config) indexes(d *dse) {
	attrs := []string{"employeeNumber", "manager"}
	if c.ScimSchema {
		attrs = append(attrs, "scimExternalId", "scimSource")
	}
	for _, attr := range attrs {
		d.add("cn="+attr+",cn=default indexes,cn=config,cn=ldbm database,cn=plugins,cn=config",
			"objectClass: top", "objectClass: nsIndex", "cn: "+attr, "nsSystemIndex: false", "nsIndexType: eq")
	}
}

// ssha512 is the salted hash that the server takes for the administrator.
func ssha512(password string) (string, error) {
	salt := make([]byte, 8)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	sum := sha512.Sum512(append([]byte(password), salt...))
	return "{SSHA512}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...)), nil
}
