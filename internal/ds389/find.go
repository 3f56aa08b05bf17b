package ds389

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// installation is where a machine keeps its 389 Directory Server.
type installation struct {
	server   string // ns-slapd
	certutil string // of NSS, makes a certificate database
	share    string // templates and schema
	plugins  string // the folder of the libraries
	version  string // "2.3.1"
}

// ErrNotInstalled is what Find returns where the server or a part of it is missing; its
// text says how to get it.
var ErrNotInstalled = errors.New(`389 Directory Server is not installed; install it with ` +
	`"deploy/install-deps ds389" or "apt-get install 389-ds-base libnss3-tools" (Debian, Ubuntu), ` +
	`"dnf install 389-ds-base nss-tools" (Fedora)`)

// The places of Debian and Fedora, and of a source install.
var shareDirs = []string{"/usr/share/dirsrv", "/usr/local/share/dirsrv", "/opt/dirsrv/share/dirsrv"}

// Find returns the path of ns-slapd, the server, if all is there that it takes to run one.
func Find() (string, error) {
	inst, err := findInstallation()
	return inst.server, err
}

func findInstallation() (installation, error) {
	inst := installation{
		server: program("ns-slapd"), certutil: program("certutil"),
		share: share(),
	}
	for what, path := range map[string]string{
		"ns-slapd": inst.server, "certutil": inst.certutil, "template-dse.ldif": inst.share,
	} {
		if path == "" {
			return installation{}, fmt.Errorf("%w (there is no %s)", ErrNotInstalled, what)
		}
	}
	defaults, err := os.ReadFile(filepath.Join(inst.share, "inf", "defaults.inf"))
	if err != nil {
		return installation{}, err
	}
	for line := range strings.Lines(string(defaults)) {
		key, value, _ := strings.Cut(line, "=")
		switch strings.TrimSpace(key) {
		case "version":
			inst.version = strings.TrimSpace(value)
		case "plugin_dir":
			inst.plugins = strings.TrimSpace(value)
		}
	}
	return inst, nil
}

// database is the kind that dscreate would choose: Berkeley DB, and LMDB from version 3 on.
func (i installation) database() string {
	if major, _, _ := strings.Cut(i.version, "."); major == "1" || major == "2" {
		return "bdb"
	}
	return "mdb"
}

func (i installation) hasPlugin(library string) bool {
	_, err := os.Stat(filepath.Join(i.plugins, library+".so"))
	return err == nil
}

// program finds a program; an ordinary user's PATH has no sbin.
func program(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/opt/dirsrv/sbin"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// share finds the folder of the templates.
func share() string {
	for _, dir := range shareDirs {
		if _, err := os.Stat(filepath.Join(dir, "data", "template-dse.ldif")); err == nil {
			return dir
		}
	}
	return ""
}
