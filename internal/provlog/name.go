package provlog

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// namesKept bounds the names of one line.
const namesKept = 16

// folded is a name as it is compared: people type it in any case.
func folded(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

func statusText(status int) string { return strconv.Itoa(status) }

// hashed is what stands in a line for a name: nobody without the key can tell
// whose it is, or try names until one fits.
func hashed(key []byte, name string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(folded(name)))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:9])
}

// hashes returns those of the names, each once.
func hashes(key []byte, names []string) []string {
	var all []string
	seen := map[string]bool{}
	for _, name := range names {
		if name = folded(name); name == "" || seen[name] || len(all) == namesKept {
			continue
		}
		seen[name] = true
		all = append(all, hashed(key, name))
	}
	return all
}

const keyLength = 32

// readKey returns the key of a log's names, nil where there is none yet.
func readKey(path string) ([]byte, error) {
	key, err := os.ReadFile(keyPath(path))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case len(key) != keyLength:
		return nil, fmt.Errorf("%s is damaged: it has %d bytes, not %d; remove it, and a new one is made for the lines to come", keyPath(path), len(key), keyLength)
	}
	return key, nil
}

// ownKey returns the key, and makes it where there is none. Of processes that do so
// at once one is first, and the others take its key.
func ownKey(path string) ([]byte, error) {
	key, err := readKey(path)
	if key != nil || err != nil {
		return key, err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".key-*") // made with 0600
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(temp.Name()) }()
	key = make([]byte, keyLength)
	_, _ = rand.Read(key) // never fails: it ends the program instead
	_, err = temp.Write(key)
	if err = errors.Join(err, temp.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(temp.Name(), keyPath(path)); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return readKey(path)
}

func keyPath(path string) string { return path + ".key" }
