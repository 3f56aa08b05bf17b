package samba

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// installation is where a machine keeps the parts of Samba that are needed.
type installation struct {
	samba     string // the server
	tool      string // samba-tool, which makes a domain
	ldbmodify string // which loads entries
}

// ErrNotInstalled is what Find returns where Samba or a part of it is missing; its text
// says how to get it.
var ErrNotInstalled = errors.New(`an Active Directory, which is Samba here, is not installed; install it with ` +
	`"deploy/install-deps samba" or, on Debian, "apt-get install samba samba-ad-dc samba-ad-provision ` +
	`samba-dsdb-modules samba-vfs-modules winbind krb5-user python3-samba ldb-tools"`)

// Find returns the path of samba, the server, if all of it is there.
func Find() (string, error) {
	inst, err := findInstallation()
	return inst.samba, err
}

func findInstallation() (installation, error) {
	var inst installation
	for name, path := range map[string]*string{"samba": &inst.samba, "samba-tool": &inst.tool, "ldbmodify": &inst.ldbmodify} {
		if *path = look(name); *path == "" {
			return installation{}, fmt.Errorf("%w (there is no %s)", ErrNotInstalled, name)
		}
	}
	return inst, nil
}

// look finds a program; an ordinary user's PATH has no sbin.
func look(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/local/samba/sbin", "/usr/local/samba/bin"} {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

// version is "4.17.12-Debian".
func (i installation) version(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, i.samba, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", i.samba, err)
	}
	return strings.TrimSpace(strings.TrimPrefix(string(out), "Version")), nil
}
