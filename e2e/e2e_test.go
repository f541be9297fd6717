//go:build e2e

package e2e

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"testing"
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

// table is what came of all cases.
type table struct {
	mu   sync.Mutex
	rows []result
}

func (t *table) add(r result) { t.mu.Lock(); t.rows = append(t.rows, r); t.mu.Unlock() }
