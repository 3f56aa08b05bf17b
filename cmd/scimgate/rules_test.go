package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// ruleLine is a line of the table in docs/identity-providers.md: the number,
// and in the last column the tests that hold the rule.
var ruleLine = regexp.MustCompile("(?m)^\\| (\\d+) \\|.*\\|((?: `Test[A-Za-z0-9_/]+`,?)+) \\|$")

// Each rule of the identity providers is held by a test that exists.
func TestEveryRuleHasATest(t *testing.T) {
	const rules = 32
	table, err := os.ReadFile("../../docs/identity-providers.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, numbers := integrationTests(t)
	found := ruleLine.FindAllStringSubmatch(string(table), -1)
	if len(found) != rules {
		t.Errorf("%d rules name their tests, want %d", len(found), rules)
	}
	for i, line := range found {
		if line[1] != strconv.Itoa(i+1) {
			t.Fatalf("rule %s comes after rule %d", line[1], i)
		}
		for _, name := range regexp.MustCompile(`Test[A-Za-z0-9_/]+`).FindAllString(line[2], -1) {
			name, sub, isSub := strings.Cut(name, "/")
			if !tests[name] {
				t.Errorf("rule %s is to be held by %s, which does not exist", line[1], name)
			}
			if isSub && (sub != "rule_"+line[1] || !numbers[line[1]]) {
				t.Errorf("rule %s is to be held by %s of %s, which does not exist", line[1], sub, name)
			}
		}
	}
}

// integrationTests returns the names of the tests against real servers, and the
// numbers of the rules in their table of rules.
func integrationTests(t *testing.T) (tests, numbers map[string]bool) {
	t.Helper()
	files, err := filepath.Glob("../../integration/*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tests: %v", err)
	}
	tests, numbers = map[string]bool{}, map[string]bool{}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				tests[n.Name.Name] = true
			case *ast.KeyValueExpr:
				key, _ := n.Key.(*ast.Ident)
				if value, ok := n.Value.(*ast.BasicLit); ok && key != nil && key.Name == "number" {
					numbers[value.Value] = true
				}
			}
			return true
		})
	}
	return tests, numbers
}
