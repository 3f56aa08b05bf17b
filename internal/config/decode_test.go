package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDurationsHaveDaysToo(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5s": 5 * time.Second, "1h30m": 90 * time.Minute, "90d": 90 * 24 * time.Hour,
		"1d12h": 36 * time.Hour, "0": 0, "-2s": -2 * time.Second, "0d": 0,
	} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q is %s, error %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "1.5", "d", "-1d", "1d2", "1y", "5 s", "999999d", "106751d24h", "1d1d"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q is taken for %s", text, got)
		}
	}
}

func TestSizesHaveUnits(t *testing.T) {
	for text, want := range map[string]Size{
		"1048576": 1 << 20, "100MB": 100e6, "1MiB": 1 << 20, "2 KiB": 2048, "5B": 5, "1kB": 1000,
	} {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%q is %d, error %v", text, got, err)
		}
	}
	for _, text := range []string{"", "MB", "1.5MB", "1 Mega", "9999999999GB", "0x10"} {
		var got Size
		if err := got.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}

// parts has a field of every kind that the decoder knows.
type parts struct {
	Name  string           `yaml:"name"`
	Count int64            `yaml:"count"`
	On    bool             `yaml:"on"`
	Wait  time.Duration    `yaml:"wait"`
	Max   Size             `yaml:"max"`
	More  *parts           `yaml:"more"`
	List  []parts          `yaml:"list"`
	Map   map[string]parts `yaml:"map"`
	Words []string         `yaml:"words,orscalar"`
	Other string           // no key
}

// decodeText decodes into parts and returns them with the faults.
func decodeText(text string) (parts, []Fault) {
	var p parts
	d := &decoder{
		Source: newSource("x.yaml"),
		env:    func(string) (string, bool) { return "", false },
	}
	d.decode([]byte(text), &p)
	return p, d.faults
}

func TestAnAliasOfItselfEnds(t *testing.T) {
	_, faults := decodeText("more: &a\n  more: *a\n")
	if len(faults) != 1 || !strings.Contains(faults[0].Problem, "contains itself") {
		t.Error(faults)
	}
}

func TestAliasesThatMultiplyEnd(t *testing.T) {
	// Each line is nine times the one before it.
	text := "map:\n  a0: &a0 {words: [x, x, x, x, x, x, x, x, x]}\n"
	for i := range 8 {
		alias := "*a" + string(rune('0'+i))
		text += "  a" + string(rune('1'+i)) + ": &a" + string(rune('1'+i)) + " {list: [" +
			strings.Repeat(alias+", ", 8) + alias + "]}\n"
	}
	_, faults := decodeText(text)
	if len(faults) != 1 || !strings.Contains(faults[0].Problem, "aliases repeat too much") {
		t.Error(faults)
	}
}

func TestAWrongValueLeavesTheOthers(t *testing.T) {
	p, faults := decodeText("count: x\nname: kept\nwords: one\nlist: [{count: 1}, 2, {wait: 3s}]\n")
	if p.Name != "kept" || len(p.Words) != 1 || len(p.List) != 3 || p.List[2].Wait != 3*time.Second {
		t.Errorf("read %+v", p)
	}
	if len(faults) != 2 {
		t.Error(faults)
	}
}

// Whatever the bytes are, there is a configuration or a report, and every line
// of the report stands for one fault.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		f.Fatalf("no files to begin with, error %v", err)
	}
	for _, file := range append(files, minimal) {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("? [a]: b\n"))
	f.Add([]byte("more: &a\n  more: *a\n? k\n: v\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte) {
		c, _, err := read(filepath.Join(dir, "x.yaml"), text, func(string) (string, bool) { return "v", true })
		if (c == nil) == (err == nil) {
			t.Fatalf("configuration %v, error %v", c, err)
		}
		if err != nil && strings.Count(err.Error(), "\n") != len(err.(*Report).Faults) {
			t.Errorf("the report has other lines than faults: %q", err)
		}
		decodeText(string(text))
	})
}
