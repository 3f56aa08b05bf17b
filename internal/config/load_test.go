package config

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the reports of testdata anew")

// Each bad file has its mistakes in its name and the whole report beside it.
func TestBadFilesGetTheirReport(t *testing.T) {
	t.Chdir("testdata")
	t.Setenv("TEST_PASSWORD", "secret")
	files, err := filepath.Glob("*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("there are no bad files")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".yaml"), func(t *testing.T) {
			c, _, err := Load(file)
			var report *Report
			if !errors.As(err, &report) {
				t.Fatalf("the error is %v, wanted a report", err)
			}
			if c != nil {
				t.Error("there is a configuration beside the report")
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			got := report.Error() + "\n"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(string(want), got); d != "" {
				t.Error(d)
			}
		})
	}
}
