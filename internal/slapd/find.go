package slapd

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// installation is where a machine keeps its OpenLDAP.
type installation struct {
	binary  string
	modules string // empty where backends and overlays are built in
	schemas string
}

// The places of Debian, Fedora and SUSE, Alpine, source installs and Homebrew.
var (
	binaryPaths = []string{
		"/usr/sbin/slapd", "/usr/local/sbin/slapd", "/usr/lib/openldap/slapd", "/usr/libexec/slapd",
		"/usr/local/libexec/slapd", "/opt/homebrew/opt/openldap/libexec/slapd", "/usr/local/opt/openldap/libexec/slapd",
	}
	moduleDirs = []string{
		"/usr/lib/ldap", "/usr/lib/openldap", "/usr/lib64/openldap",
		"/usr/local/libexec/openldap", "/usr/lib/openldap/modules",
	}
	schemaDirs = []string{
		"/etc/ldap/schema", "/etc/openldap/schema", "/usr/local/etc/openldap/schema", "/opt/homebrew/etc/openldap/schema",
	}
)

// ErrNotInstalled is what Find returns where there is no slapd; its text says how to get one.
var ErrNotInstalled = errors.New(`slapd, the OpenLDAP server, is not installed; install it with ` +
	`"apt-get install slapd" (Debian, Ubuntu), "dnf install openldap-servers" (Fedora) or ` +
	`"apk add openldap openldap-back-mdb openldap-overlay-all" (Alpine)`)

// Find returns the path of slapd.
func Find() (string, error) { return find(binaryPaths) }

func find(paths []string) (string, error) {
	if path, err := exec.LookPath("slapd"); err == nil {
		return path, nil
	}
	for _, path := range paths { // an ordinary user's PATH has no sbin
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", ErrNotInstalled
}

func findInstallation(binary string) (installation, error) {
	if binary == "" {
		var err error
		if binary, err = Find(); err != nil {
			return installation{}, err
		}
	}
	inst := installation{binary: binary}
	for _, dir := range moduleDirs {
		if hasModule(dir, "back_mdb") || hasModule(dir, "ppolicy") {
			inst.modules = dir
			break
		}
	}
	for _, dir := range schemaDirs {
		if exists(filepath.Join(dir, "inetorgperson.schema")) {
			inst.schemas = dir
			return inst, nil
		}
	}
	return inst, fmt.Errorf("slapd: %s is here, but inetorgperson.schema is in none of %v", binary, schemaDirs)
}

func hasModule(dir, name string) bool {
	return dir != "" && (exists(filepath.Join(dir, name+".so")) || exists(filepath.Join(dir, name+".la")))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// Where AppArmor says what it enforces, and where Ubuntu keeps the profile of slapd.
const (
	apparmorEnabled = "/sys/module/apparmor/parameters/enabled"
	apparmorLoaded  = "/sys/kernel/security/apparmor/profiles"
	apparmorProfile = "/etc/apparmor.d/usr.sbin.slapd"
)

// confined says whether an AppArmor profile keeps this slapd to the folders of the
// machine's own one. A profile is attached to a path, so a copy elsewhere is free.
// Only root can read what is loaded; everybody else goes by what is installed.
func confined(binary string) bool {
	if on, err := os.ReadFile(apparmorEnabled); err != nil || !bytes.HasPrefix(on, []byte("Y")) {
		return false
	}
	if resolved, err := filepath.EvalSymlinks(binary); err == nil {
		binary = resolved
	}
	if loaded, err := os.ReadFile(apparmorLoaded); err == nil {
		return bytes.Contains(loaded, []byte(binary+" ")) || bytes.Contains(loaded, []byte("slapd ("))
	}
	return exists(apparmorProfile)
}

// copyBinary puts a copy of slapd into dir and returns its path.
func copyBinary(binary, dir string) (string, error) {
	to := filepath.Join(dir, "slapd")
	from, err := os.Open(binary)
	if err != nil {
		return "", err
	}
	defer from.Close()
	tmp, err := os.CreateTemp(dir, "slapd-*")
	if err != nil {
		return "", err
	}
	defer os.Remove(tmp.Name())
	_, err = io.Copy(tmp, from)
	if err = errors.Join(err, tmp.Chmod(0o700), tmp.Close()); err != nil {
		return "", fmt.Errorf("copy %s: %w", binary, err)
	}
	return to, os.Rename(tmp.Name(), to)
}
