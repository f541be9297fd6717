//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"
)

// labs is how many cases are tried at once: they wait more than they work.
const labs = 4

// TestProof tries every case in the kernel it needs, and holds docs/proof.md to
// what came of it.
func TestProof(t *testing.T) {
	if os.Getenv("PEERCONF") == "" || os.Geteuid() != 0 {
		t.Fatal("make e2e runs this, as root")
	}
	var all table
	t.Run("cases", func(t *testing.T) {
		t.Run("host", func(t *testing.T) { t.Parallel(); tryAll(t, &all) })
		for kernel := range guests {
			t.Run(kernel, func(t *testing.T) { t.Parallel(); tryInGuest(t, &all, kernel) })
		}
	})
	if flag.Lookup("test.run").Value.String() == "" {
		all.compare(t, "../docs/proof.md")
	}
}

// tryAll tries cases with strongSwan's own ESP, so that any kernel will do.
func tryAll(t *testing.T, all *table) {
	pool := make(chan *lab, labs)
	for i := range labs {
		l := &lab{name: fmt.Sprintf("pc%d", i), dir: t.TempDir(), kernel: "host"}
		t.Cleanup(l.close)
		pool <- l
	}
	for _, target := range targets("host") {
		for _, p := range casesOf(target, "host") {
			t.Run(target+"/"+p.name, func(t *testing.T) {
				t.Parallel()
				l := <-pool
				defer func() { pool <- l }()
				r := l.try(p)
				all.add(r)
				if r.Error != "" {
					t.Error(r.Error)
				}
			})
		}
	}
}

// inGuest is the file with what came of a guest's cases, one JSON value each.
const inGuest = "results"

// tryInGuest boots a kernel for the cases that need it.
func tryInGuest(t *testing.T, all *table, kernel string) {
	out := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	err := runGuest(ctx, kernel, "^TestInGuest$", out)
	data, _ := os.ReadFile(filepath.Join(out, inGuest))
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	for _, line := range lines {
		var r result
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%v\n%s%s", err, contents(out, "console"), contents(out, "log"))
		}
		all.add(r)
		t.Run(r.Target+"/"+r.Case, func(t *testing.T) {
			if r.Error != "" {
				t.Error(r.Error)
			}
		})
	}
	if err != nil && !t.Failed() {
		t.Errorf("%v\n%s%s", err, contents(out, "console"), contents(out, "log"))
	}
}

// TestInGuest is the part of tryInGuest inside.
func TestInGuest(t *testing.T) {
	kernel := os.Getenv("E2E_GUEST")
	if kernel == "" {
		return // its other half starts it
	}
	f, err := os.Create(filepath.Join(os.Getenv("E2E_OUT"), inGuest))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l := &lab{name: "pc", dir: t.TempDir(), kernel: kernel}
	t.Cleanup(l.close)
	only := regexp.MustCompile(os.Getenv("E2E_ONLY"))
	for _, target := range targets(kernel) {
		for _, p := range casesOf(target, kernel) {
			if !only.MatchString(target + "/" + p.name) {
				continue
			}
			r := l.try(p)
			t.Log(r.Target, r.Case, r.Seconds, r.Negotiated)
			if r.Error != "" {
				t.Errorf("%s/%s: %s", r.Target, r.Case, r.Error)
			}
			if err := json.NewEncoder(f).Encode(r); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// table is what came of all cases.
type table struct {
	mu   sync.Mutex
	rows []result
}

func (t *table) add(r result) { t.mu.Lock(); t.rows = append(t.rows, r); t.mu.Unlock() }
