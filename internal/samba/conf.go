package samba

import (
	"fmt"
	"os"
	"strings"
)

// args starts Samba in the foreground as one process. What it says before it has read its
// configuration would go to the log of the machine's own Samba.
func (c Config) args() []string {
	return []string{
		"--configfile=" + c.path("smb.conf"), "--foreground", "--no-process-group", "--model=single",
		"--debug-stdout", "--log-basename=" + c.Dir,
	}
}

// write puts smb.conf and the folders that it names in place.
func (c Config) write() error {
	for _, name := range folders {
		if err := os.MkdirAll(c.path(name), 0o700); err != nil {
			return err
		}
	}
	return os.WriteFile(c.path("smb.conf"), []byte(c.render()), 0o600)
}

// folders are all that Samba would otherwise look for in the machine's own places.
var folders = map[string]string{
	"private dir":                "private",
	"state directory":            "state",
	"cache directory":            "cache",
	"lock directory":             "lock",
	"pid directory":              "run",
	"ncalrpc dir":                "ncalrpc",
	"binddns dir":                "bind-dns",
	"ntp signd socket directory": "ntp_signd",
	"winbindd socket directory":  "winbindd",
}

// settings are the rest of smb.conf's global section; "ADDRESS" and "DIR" stand for those
// of the server.
var settings = []string{
	"workgroup = " + domain,
	"realm = " + realm,
	"netbios name = " + host,
	"server role = active directory domain controller",
	// LDAP alone: no file server, no Kerberos, no DNS, no replication.
	"server services = ldap",
	"dcerpc endpoint servers =",
	"dns forwarder =",
	"interfaces = ADDRESS/8",
	"bind interfaces only = yes",
	"ldap server require strong auth = yes",
	"tls enabled = yes",
	"tls keyfile = DIR/" + keyFile,
	"tls certfile = DIR/" + certFile,
	"tls cafile = DIR/" + certFile,
	"idmap_ldb:use rfc2307 = yes",
	// The data live as long as a test; what was answered outlives a crash of Samba anyway.
	"ldb:nosync = true",
	"usershare path =",
	"log file = DIR/log.samba",
	"max log size = 0",
	"panic action =",
}

// render is smb.conf.
func (c Config) render() string {
	var b strings.Builder
	b.WriteString("# Written by scimgate at every start; changes are lost.\n[global]\n")
	for name, folder := range folders {
		fmt.Fprintf(&b, "\t%s = %s\n", name, c.path(folder))
	}
	here := strings.NewReplacer("ADDRESS", c.Listen, "DIR", c.Dir)
	for _, line := range settings {
		fmt.Fprintf(&b, "\t%s\n", here.Replace(line))
	}
	for _, line := range c.Conf {
		fmt.Fprintf(&b, "\t%s\n", line)
	}
	// A domain cannot be made without these two, though nothing serves them.
	fmt.Fprintf(&b, "[sysvol]\n\tpath = %s\n\tread only = no\n", c.path("state/sysvol"))
	fmt.Fprintf(&b, "[netlogon]\n\tpath = %s\n\tread only = no\n", c.path("state/sysvol/example.org/scripts"))
	return b.String()
}
