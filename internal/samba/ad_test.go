//go:build ad

package samba

import (
	"testing"
	"time"
)

func TestTry(t *testing.T) {
	for range 3 {
		at := time.Now()
		s, err := Start(t.Context(), Config{Dir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(time.Since(at), s.URL())
		at = time.Now()
		t.Log(s.Stop(), time.Since(at))
	}
}
