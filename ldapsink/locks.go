package ldapsink

import (
	"strings"

	"scimgate/internal/directory"
)

// entryLock names the lock of an entry.
func entryLock(id string) string { return "entry\x00" + strings.ToLower(id) }

// keyLocks name the locks of unique values. Values that a directory may hold
// equal share a lock; that others share it too costs nothing but a wait.
func keyLocks(keys []directory.Key) []string {
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = "value\x00" + strings.ToLower(k.Attribute) + "\x00" + directory.FoldValue(k.Value)
	}
	return names
}
