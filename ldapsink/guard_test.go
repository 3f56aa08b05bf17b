package ldapsink

import (
	"testing"

	"scimgate/internal/directory"
)

func TestAPanicIsAnError(t *testing.T) {
	_, err := guard(func() (int, error) { panic("at the disco") })
	if !directory.Is(err, directory.Internal) {
		t.Errorf("got %v", err)
	}
	if n, err := guard(func() (int, error) { return 7, nil }); n != 7 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
}
