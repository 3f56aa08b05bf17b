package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/fsnotify/fsnotify"
	"go.uber.org/zap"
)

// watch tells that something happened to files, or to the way to them. What is
// watched are the folders that hold them: editors put a new file in place of the
// old one, and Kubernetes mounts secrets behind links of which it exchanges one.
type watch struct {
	log     *zap.Logger
	notify  *fsnotify.Watcher // nil where there are no notifications
	told    chan struct{}     // holds a token when something happened
	running sync.WaitGroup

	mu    sync.Mutex
	steps map[string]bool // the names that lead to the files
}

// newWatch watches files from now on.
func newWatch(files []string, log *zap.Logger) *watch {
	w := &watch{log: log, told: make(chan struct{}, 1)}
	var err error
	if w.notify, err = fsnotify.NewWatcher(); err != nil {
		log.Warn("changes of files are not told by this system; they are looked at from time to time",
			zap.Duration("every", lookEvery), zap.Error(err))
		return w
	}
	w.follow(files)
	w.running.Go(w.listen)
	return w
}

// touched has something for each time that something happened, or for many.
func (w *watch) touched() <-chan struct{} { return w.told }

func (w *watch) close() {
	if w.notify != nil {
		_ = w.notify.Close() // it has nothing to lose
		w.running.Wait()
	}
}

// listen picks out what concerns the files. Where notifications were lost it may
// be anything.
func (w *watch) listen() {
	for {
		select {
		case event, ok := <-w.notify.Events:
			if !ok {
				return
			}
			if !w.concerns(event.Name) {
				continue
			}
		case err, ok := <-w.notify.Errors:
			if !ok {
				return
			}
			w.log.Debug("changes of files", zap.Error(err))
		}
		select {
		case w.told <- struct{}{}:
		default: // it is known already
		}
	}
}

func (w *watch) concerns(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.steps[name]
}

// follow watches the ways to files as they are now.
func (w *watch) follow(files []string) {
	if w.notify == nil {
		return
	}
	steps, folders := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		for _, step := range stepsTo(file) {
			steps[step], folders[filepath.Dir(step)] = true, true
		}
	}
	w.mu.Lock()
	w.steps = steps
	w.mu.Unlock()
	for _, folder := range w.notify.WatchList() {
		if !folders[folder] {
			_ = w.notify.Remove(folder) // gone with its folder, perhaps
		}
	}
	for folder := range folders {
		// Also those that are watched: a folder of the name may be another by now.
		if err := w.notify.Add(folder); err != nil && !errors.Is(err, os.ErrNotExist) {
			w.log.Warn("changes in this folder are not told; they are looked at from time to time",
				zap.String("folder", folder), zap.Duration("every", lookEvery), zap.Error(err))
		}
	}
}

// mostLinks is how many links lead to a file at most; the system has such a bound
// as well.
const mostLinks = 40

// stepsTo returns the names by which a file is reached: those of the links on the
// way, and in the end its own, or that of the first part that is not there.
func stepsTo(file string) []string {
	file, err := filepath.Abs(file)
	if err != nil {
		return nil
	}
	separator := string(filepath.Separator)
	root := filepath.VolumeName(file) + separator
	at, rest := root, strings.Split(strings.TrimPrefix(file, root), separator)
	var steps []string
	for links := 0; len(rest) > 0 && links <= mostLinks; {
		at, rest = filepath.Join(at, rest[0]), rest[1:]
		info, err := os.Lstat(at)
		if err != nil {
			return append(steps, at)
		}
		if info.Mode()&os.ModeSymlink == 0 {
			continue
		}
		links++
		steps = append(steps, at)
		target, err := os.Readlink(at)
		if err != nil {
			return steps
		}
		if at = filepath.Dir(at); filepath.IsAbs(target) {
			at = root
		}
		rest = slices.Concat(strings.Split(strings.TrimPrefix(target, root), separator), rest)
	}
	return append(steps, at)
}
