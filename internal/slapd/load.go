package slapd

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// loadedMark is the file that says that the base entries went in completely.
const loadedMark = "db.loaded"

// load fills a new database before the server's first start. A load that was
// interrupted is done again from the beginning.
func (s *Server) load(ctx context.Context) error {
	db, mark := s.cfg.path("db"), s.cfg.path(loadedMark)
	if exists(mark) {
		return nil
	}
	if err := errors.Join(os.RemoveAll(db), os.MkdirAll(db, 0o700)); err != nil {
		return err
	}
	ldif, err := s.cfg.baseEntries()
	if err != nil {
		return err
	}
	if ldif != "" {
		// slapadd is slapd itself; -T works for a private copy of the binary, too.
		add := exec.CommandContext(ctx, s.inst.binary, "-T", "add", "-f", s.cfg.path("slapd.conf"))
		add.Stdin = strings.NewReader(ldif)
		if out, err := add.CombinedOutput(); err != nil {
			return fmt.Errorf("load the base entries: %w: %s", err, strings.TrimSpace(string(out)))
		}
	}
	return os.WriteFile(mark, nil, 0o600)
}

// baseEntries is the LDIF of a new directory: the suffix, places for people and groups,
// and with ppolicy the default policy, under which pwdAccountLockedTime stops a bind.
func (c Config) baseEntries() (string, error) {
	if c.Empty {
		return c.Entries, nil
	}
	top, err := suffixEntry(c.Suffix)
	if err != nil {
		return "", err
	}
	all := [][]string{
		top,
		{"dn", "ou=people," + c.Suffix, "objectClass", "organizationalUnit", "ou", "people"},
		{"dn", "ou=groups," + c.Suffix, "objectClass", "organizationalUnit", "ou", "groups"},
	}
	if slices.ContainsFunc(c.Overlays, func(o string) bool { return strings.HasPrefix(o, "ppolicy") }) {
		all = append(all,
			[]string{"dn", "ou=policies," + c.Suffix, "objectClass", "organizationalUnit", "ou", "policies"},
			[]string{
				"dn", "cn=default,ou=policies," + c.Suffix,
				"objectClass", "organizationalRole", "objectClass", "pwdPolicy", "cn", "default",
				"pwdAttribute", "userPassword", "pwdLockout", "TRUE",
			})
	}
	var b strings.Builder
	for _, entry := range all {
		for i := 0; i < len(entry); i += 2 {
			b.WriteString(ldifLine(entry[i], entry[i+1]))
		}
		b.WriteString("\n")
	}
	return b.String() + c.Entries, nil
}

// suffixEntry is the entry at the top, whose class its first RDN decides.
func suffixEntry(suffix string) ([]string, error) {
	first, _, _ := strings.Cut(suffix, ",")
	attr, value, _ := strings.Cut(first, "=")
	attr, value = strings.ToLower(strings.TrimSpace(attr)), strings.TrimSpace(value)
	entry := []string{"dn", suffix}
	switch attr {
	case "dc":
		return append(entry, "objectClass", "organization", "objectClass", "dcObject", "dc", value, "o", value), nil
	case "o":
		return append(entry, "objectClass", "organization", "o", value), nil
	case "ou":
		return append(entry, "objectClass", "organizationalUnit", "ou", value), nil
	}
	return nil, fmt.Errorf("suffix %q does not begin with dc=, o= or ou=", suffix)
}

// ldifLine is one attribute, in base64 where RFC 2849 does not allow the plain value.
func ldifLine(attr, value string) string {
	safe := value != "" && !strings.ContainsAny(value[:1], " :<") && !strings.HasSuffix(value, " ")
	for i := range len(value) {
		safe = safe && value[i] >= ' ' && value[i] < 0x7f
	}
	if safe {
		return attr + ": " + value + "\n"
	}
	return attr + ":: " + base64.StdEncoding.EncodeToString([]byte(value)) + "\n"
}
