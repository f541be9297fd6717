package main

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"peerconf/fetch"
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

var policy = regexp.MustCompile("(?s)```json\n(.*?)```")

// TestReadmePolicy holds the policy that README shows to the one that errors
// show.
func TestReadmePolicy(t *testing.T) {
	b, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := policy.FindSubmatch(b)
	if shown == nil {
		t.Fatal("README shows no policy")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, shown[1]); err != nil {
		t.Fatal(err)
	}
	if compact.String() != fetch.Policy {
		t.Errorf("README:\n%s\nfetch.Policy:\n%s", compact.String(), fetch.Policy)
	}
}
