package samba

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	loadedMark   = "loaded"         // the file that says that the data are whole
	passwordFile = "admin.password" // of the administrator; the folder is closed to others
)

// kept are the parts of the folder that make the domain, in the cache and in every server.
var kept = []string{"private", "state", passwordFile}

// load fills a new folder with a domain and the entries, and returns the administrator's
// password. A load that was interrupted is done again from the beginning.
func (c Config) load(ctx context.Context, inst installation) (string, error) {
	if _, err := os.Stat(c.path(loadedMark)); err != nil {
		if err := c.loadDomain(ctx, inst); err != nil {
			return "", err
		}
		if c.Entries != "" {
			if err := c.apply(ctx, inst, c.Entries); err != nil {
				return "", fmt.Errorf("load the entries: %w", err)
			}
		}
		if err := os.WriteFile(c.path(loadedMark), nil, 0o600); err != nil {
			return "", err
		}
	}
	password, err := os.ReadFile(c.path(passwordFile))
	return string(password), err
}

// loadDomain copies the domain from the cache, or makes it and leaves a copy there.
func (c Config) loadDomain(ctx context.Context, inst installation) error {
	version, err := inst.version(ctx)
	if err != nil {
		return err
	}
	// Whatever changes how a domain is made changes the name.
	how := sha256.Sum256(fmt.Append(nil, settings, Config{}.provision(""), adminForEver))
	cached := filepath.Join(c.Cache, fmt.Sprintf("%s-%x", version, how[:4]))
	if err := c.clear(); err != nil {
		return err
	}
	if _, err := os.Stat(cached); err == nil {
		return copyParts(ctx, cached, c.Dir)
	}
	if err := c.makeDomain(ctx, inst); err != nil {
		return err
	}
	return keep(ctx, c.Dir, cached)
}

// clear removes what an interrupted load left.
func (c Config) clear() error {
	for _, name := range kept {
		if err := os.RemoveAll(c.path(name)); err != nil {
			return err
		}
	}
	return c.write()
}

// provision are the arguments with which samba-tool makes the domain.
func (c Config) provision(password string) []string {
	return []string{
		"domain", "provision", "--configfile=" + c.path("smb.conf"), "--realm=" + realm, "--domain=" + domain,
		"--server-role=dc", "--dns-backend=SAMBA_INTERNAL", "--use-rfc2307",
		"--host-name=" + host, "--host-ip=127.0.0.1", "--adminpass=" + password,
	}
}

// A kept domain may be older than the 42 days for which its policy lets a password live.
const adminForEver = `dn: ` + adminDN + `
changetype: modify
replace: userAccountControl
userAccountControl: 66048
`

func (c Config) makeDomain(ctx context.Context, inst installation) error {
	password := "Aa1-" + rand.Text() // of the kinds of characters that the policy wants
	out, err := exec.CommandContext(ctx, inst.tool, c.provision(password)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("make the domain: %w: %s", err, lastLines(out))
	}
	if err := c.apply(ctx, inst, adminForEver); err != nil {
		return fmt.Errorf("make the domain: %w", err)
	}
	return os.WriteFile(c.path(passwordFile), []byte(password), 0o600)
}

// apply changes the data of a server that does not run.
func (c Config) apply(ctx context.Context, inst installation, ldif string) error {
	modify := exec.CommandContext(ctx, inst.ldbmodify, "--configfile="+c.path("smb.conf"), "-H", c.path("private/sam.ldb"))
	modify.Stdin = strings.NewReader(ldif)
	if out, err := modify.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, lastLines(out))
	}
	return nil
}

// Tool runs samba-tool on the data of the server, whether it runs or not, and returns what
// it says: s.Tool(ctx, "dsacl", "set", "--action=allow", ...) delegates rights.
func (s *Server) Tool(ctx context.Context, args ...string) (string, error) {
	args = append(args, "--configfile="+s.cfg.path("smb.conf"), "-H", s.cfg.path("private/sam.ldb"))
	out, err := exec.CommandContext(ctx, s.inst.tool, args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("samba-tool: %w: %s", err, lastLines(out))
	}
	return string(out), nil
}

// keep leaves a copy of the domain in the cache. Of several that do so at the same time
// the first is as good as any; nobody ever sees half a copy.
func keep(ctx context.Context, from, cached string) error {
	if err := os.MkdirAll(filepath.Dir(cached), 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(cached), ".new-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	if err := copyParts(ctx, from, tmp); err != nil {
		return err
	}
	if err := os.Rename(tmp, cached); err != nil {
		if _, there := os.Stat(cached); there != nil {
			return errors.Join(err, there)
		}
	}
	return nil
}

// copyParts copies what makes a domain, with owners, modes and extended attributes, and
// with the holes that databases have.
func copyParts(ctx context.Context, from, to string) error {
	args := []string{"-a", "--sparse=always", "--"}
	for _, name := range kept {
		args = append(args, filepath.Join(from, name))
	}
	if out, err := exec.CommandContext(ctx, "cp", append(args, to)...).CombinedOutput(); err != nil {
		return fmt.Errorf("copy the domain: %w: %s", err, lastLines(out))
	}
	return nil
}

// lastLines is where a program says what went wrong.
func lastLines(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-4):], "; ")
}
