package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
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
		content := sha256.New()
		var err error
		if !pipe(name) {
			err = beginning(content, name)
		}
		fmt.Fprintf(all, "%q %t %x\n", name, err == nil, content.Sum(nil))
	}
	return [sha256.Size]byte(all.Sum(nil))
}

// mostCompared is how many bytes of a file are compared. One that is longer is
// refused anyway.
const mostCompared = 32 << 20

func beginning(to io.Writer, name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	_, err = io.CopyN(to, file, mostCompared)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, file.Close())
}

// pipe reports whether a file can be read once only.
func pipe(name string) bool {
	info, err := os.Stat(name)
	return err == nil && !info.Mode().IsRegular()
}
