package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"

	"scimgate/internal/config"
)

// source is a configuration file with the files that it names.
type source struct {
	file  string
	files []string          // all of them, as of the last reading
	print [sha256.Size]byte // of their contents, no later than they were read
}

// readings is how often a configuration is read that changes while it is.
const readings = 5

func newSource(file string) *source { return &source{file: file, files: []string{file}} }

// read loads the configuration, again until its files stayed as they are all
// the while. One that changes for ever is taken as it is: changed tells of it.
func (s *source) read() (*config.Config, []config.Warning, error) {
	for n := 1; ; n++ {
		known := s.files
		s.print = printOf(known)
		cfg, warnings, err := config.Load(s.file)
		s.learn(cfg, err)
		settled := slices.Equal(known, s.files)
		if !settled {
			known, s.print = s.files, printOf(s.files)
		}
		if settled && !s.changed() || n == readings || slices.ContainsFunc(known, pipe) {
			return cfg, warnings, err
		}
	}
}

// learn notes which files belong to the configuration. One that cannot be read at
// all names those of before.
func (s *source) learn(cfg *config.Config, err error) {
	var report *config.Report
	switch {
	case err == nil:
		s.files = cfg.Files()
	case errors.As(err, &report) && len(report.Files) > 0:
		s.files = report.Files
	}
}

// changed reports whether a file has another content than when it was read.
func (s *source) changed() bool { return s.print != printOf(s.files) }

// printOf is the same for files with the same contents. What is wrong with one
// that cannot be read shows when the configuration is.
func printOf(files []string) [sha256.Size]byte {
	all := sha256.New()
	for _, name := range files {
		var content []byte
		var err error
		if !pipe(name) {
			content, err = os.ReadFile(name)
		}
		fmt.Fprintf(all, "%q %t %x\n", name, err == nil, sha256.Sum256(content))
	}
	return [sha256.Size]byte(all.Sum(nil))
}

// pipe reports whether a file can be read once only.
func pipe(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.Mode().IsRegular()
}
