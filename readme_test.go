package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var console = regexp.MustCompile("(?s)```console\n\\$ (peerconf [^\n]*)\n(.*?)```")

// TestReadme runs the commands that README shows with their output, and holds
// it to what they print. GOLDIE_UPDATE=1 writes it anew.
func TestReadme(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := 0
	updated := console.ReplaceAllStringFunc(string(b), func(block string) string {
		parts := console.FindStringSubmatch(block)
		code, stdout, stderr := execute(strings.Fields(parts[1]))
		shown++
		if code != exitDone {
			t.Errorf("%s: %s", parts[1], stderr)
		}
		return "```console\n$ " + parts[1] + "\n" + stdout + "```"
	})
	if shown < 3 {
		t.Errorf("README shows %d commands", shown)
	}
	if updated == string(b) {
		return
	}
	if os.Getenv("GOLDIE_UPDATE") == "" {
		t.Error("README shows other output than the program prints; make golden writes it anew")
		return
	}
	if err := os.WriteFile("README.md", []byte(updated), 0o644); err != nil {
		t.Fatal(err)
	}
}
