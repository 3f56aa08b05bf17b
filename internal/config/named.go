package config

import (
	"errors"
	"slices"
)

// Files returns the configuration file and all that it names and that are read
// when it is put in force: a change of one of them is a change of the
// configuration. What is read again by itself, as tokens are, is not among them.
func (c *Config) Files() []string {
	files := []string{c.source.file, c.Server.TLS.CertFile, c.Server.TLS.KeyFile, c.Server.TLS.ClientCAFile}
	for _, d := range c.Directories {
		files = append(files, d.TLS.CAFile, d.Bind.PasswordFile)
	}
	for _, t := range c.Tenants {
		files = append(files, t.OIDC.CAFile)
	}
	files = slices.DeleteFunc(files, func(name string) bool { return name == "" })
	slices.Sort(files)
	return slices.Compact(files)
}

// naming adds the files to a report.
func (c *Config) naming(err error) error {
	var report *Report
	if errors.As(err, &report) {
		report.Files = c.Files()
	}
	return err
}
