package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Secret is text that shows as *** wherever it is printed, logged or encoded.
type Secret string

// Reveal returns the text.
func (s Secret) Reveal() string { return string(s) }

// Format prints *** for every verb, also those that a String method would miss.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "***") }

// MarshalText is the form in JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// files makes the paths of the configuration relative to its own folder, reads
// the passwords and looks whether the other files can be read.
func (c *Config) files(s *Source, folder string) {
	abs := func(path *string) {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(folder, *path)
		}
	}
	abs(&c.StateDir)
	abs(&c.Log.Provisioning)
	for key, path := range map[string]*string{
		"server.tls.certFile": &c.Server.TLS.CertFile,
		"server.tls.keyFile":  &c.Server.TLS.KeyFile,

		"server.tls.clientCAFile": &c.Server.TLS.ClientCAFile,
	} {
		abs(path)
		s.readable(key, *path)
	}
	for i := range c.Tenants {
		abs(&c.Tenants[i].Tokens.File) // it may come later
		ca := &c.Tenants[i].OIDC.CAFile
		abs(ca)
		s.readable(tenantKey(i)+".oidc.caFile", *ca)
	}
	for name, d := range c.Directories {
		key := "directories." + name
		abs(&d.TLS.CAFile) // ldapsink reads it, and says what is wrong with it
		if err := readSoon(d.TLS.CAFile, maxNamed); err != nil && !errors.Is(err, fs.ErrNotExist) && d.TLS.CAFile != "" {
			s.fault(key+".tls.caFile", "%s", fileProblem(d.TLS.CAFile, err))
		}
		abs(&d.Bind.PasswordFile)
		d.Bind.read(s, key+".bind")
		c.Directories[name] = d
	}
}

// readable records a fault where a file that a key names cannot be read.
func (s *Source) readable(key, path string) {
	if path == "" {
		return
	}
	err := readSoon(path, maxNamed)
	if err == nil {
		var file *os.File
		if file, err = os.Open(path); err == nil {
			_ = file.Close() // it was only opened for reading
			return
		}
	}
	s.fault(key, "%s", fileProblem(path, err))
}

// read brings the password into b.Password. After a fault nobody needs to be
// told that there is none.
func (b *Bind) read(s *Source, key string) {
	if fault, problem := b.password(s, key); problem != "" {
		s.fault(fault, "%s", problem)
		s.broken[key+".password"] = true
	}
}

// password does the work of read and returns the key to blame and the problem,
// "" for none.
func (b *Bind) password(s *Source, key string) (string, string) {
	given, file := key+".password", key+".passwordFile"
	switch {
	case s.Has(given) && s.Has(file):
		return file, "password and passwordFile are both given; keep one of them"
	case s.Has(file):
		text, err := contents(b.PasswordFile, maxNamed)
		if err != nil {
			return file, fileProblem(b.PasswordFile, err)
		}
		// One line end: editors add it, and a password may end with blanks.
		line := strings.TrimSuffix(string(text), "\n")
		b.Password = Secret(strings.TrimSuffix(line, "\r"))
		given = file
	case !s.Has(given):
		return given, "is missing; give passwordFile, or password with ${NAME} for an environment variable"
	case b.Password != "" && !s.fromEnv[given]:
		s.warn(given, "is written in plain; use passwordFile, or ${NAME} for an environment variable")
	}
	if b.Password == "" {
		return given, "is empty, and a bind without a password is an anonymous one; give the password of bind.dn"
	}
	return "", ""
}

// fileProblem says in one sentence why a file cannot be read.
func fileProblem(path string, err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Sprintf("the file %s cannot be read: %v", path, err)
}
