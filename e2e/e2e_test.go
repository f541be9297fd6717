//go:build e2e

package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// labs are how many cases of a kernel are at work at once, and how many more may
// wait, as those do that have something befall them. These have to be quick when
// it does: what their daemons do goes before what is at work.
var labs = map[string][2]int{"host": {4, 8}, "uml": {2, 6}, "qemu": {1, 3}}

// TestProof tries every case in the kernel it needs, and holds docs/proof.md to
// what came of it.
func TestProof(t *testing.T) {
	if os.Getenv("PEERCONF") == "" || os.Geteuid() != 0 {
		t.Fatal("make e2e runs this, as root")
	}
	var all table
	t.Run("cases", func(t *testing.T) {
		t.Run("host", func(t *testing.T) { t.Parallel(); tryAll(t, &all, "host", 0) })
		for kernel := range guests {
			for part := range parts[kernel] {
				t.Run(fmt.Sprint(kernel, part+1), func(t *testing.T) { t.Parallel(); tryInGuest(t, &all, kernel, part) })
			}
		}
	})
	if flag.Lookup("test.run").Value.String() == "" {
		all.compare(t, "../docs/proof.md")
	}
}

// tryAll tries a kernel's cases, several at once.
func tryAll(t *testing.T, all *table, kernel string, part int) {
	var pools [2]chan *lab
	for which, n := range labs[kernel] {
		pools[which] = make(chan *lab, n)
		for i := range n {
			l := &lab{name: fmt.Sprintf("pc%d%d", which, i), dir: t.TempDir(), kernel: kernel, first: which == 1}
			t.Cleanup(l.close)
			pools[which] <- l
		}
	}
	busy := make(chan bool, labs[kernel][0])
	for _, p := range partOf(kernel, part) {
		t.Run(p.target+"/"+p.name, func(t *testing.T) {
			t.Parallel()
			pool := pools[0]
			if p.then != nil {
				pool = pools[1]
			}
			l := <-pool
			defer func() { pool <- l }()
			busy <- true
			waits := sync.OnceFunc(func() { <-busy })
			defer waits()
			all.add(result{Case: p.name, Target: p.target, Kernel: kernel, Error: "was at work when time was over"})
			r := l.try(p, waits)
			all.add(r)
			if r.Error != "" {
				t.Error(r.Error)
			}
		})
	}
}

// partOf lists the cases of one of a kernel's parts, those that wait before the
// rest, without those that E2E_ONLY, a regular expression, leaves out.
func partOf(kernel string, part int) []proof {
	only := regexp.MustCompile(os.Getenv("E2E_ONLY"))
	var waiting, working []proof
	n := 0
	for _, target := range targets(kernel) {
		for _, p := range casesOf(target, kernel) {
			switch n++; {
			case n%parts[kernel] != part || !only.MatchString(target+"/"+p.name):
			case p.then != nil:
				waiting = append(waiting, p)
			default:
				working = append(working, p)
			}
		}
	}
	return append(waiting, working...)
}

// inGuest is the file with what came of a guest's cases, in JSON.
const inGuest = "results"

// parts is how many guests share a kernel's cases. User-mode Linux has one CPU.
var parts = map[string]int{"host": 1, "uml": 2, "qemu": 1}

// tryInGuest boots a kernel for a part of the cases that need it.
func tryInGuest(t *testing.T, all *table, kernel string, part int) {
	out := t.TempDir()
	for _, p := range partOf(kernel, part) {
		if err := p.render(filepath.Join(out, p.place())); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 9*time.Minute)
	defer cancel()
	err := runGuest(ctx, kernel, "^TestInGuest$", out, part)
	data, _ := os.ReadFile(filepath.Join(out, inGuest))
	var rows []result
	if jerr := json.Unmarshal(data, &rows); jerr != nil {
		t.Fatalf("%v, %v\n%s%s", err, jerr, contents(out, "console"), contents(out, "log"))
	}
	for _, r := range rows {
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
	if stacks := contents(out, atWork); len(stacks) > 0 {
		t.Errorf("when time was over, as far as the kernel knows\n%s\nand what was at work\n%s", tail(string(contents(out, "console"))), stacks)
	}
}

// TestInGuest is the part of tryInGuest inside.
func TestInGuest(t *testing.T) {
	kernel := os.Getenv("E2E_GUEST")
	if kernel == "" {
		return // its other half starts it
	}
	part, err := strconv.Atoi(os.Getenv("E2E_PART"))
	if err != nil {
		t.Fatal(err)
	}
	var all table
	out := os.Getenv("E2E_OUT")
	tell := func() error {
		data, err := json.Marshal(all.sorted())
		return errors.Join(err, os.WriteFile(filepath.Join(out, inGuest), data, 0o644))
	}
	if end, ok := t.Deadline(); ok {
		over := time.AfterFunc(time.Until(end)-5*time.Second, func() {
			os.WriteFile(filepath.Join(out, atWork), stacksOf("(*lab).try"), 0o644)
			tell()
		})
		defer over.Stop()
	}
	t.Run("cases", func(t *testing.T) { tryAll(t, &all, kernel, part) })
	if err := tell(); err != nil {
		t.Fatal(err)
	}
}

// atWork is the file with the stacks of the cases that a guest's time was too
// short for.
const atWork = "stacks"

// stacksOf are the goroutines that are in a function.
func stacksOf(function string) []byte {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	var in [][]byte
	for _, stack := range bytes.Split(all, []byte("\n\n")) {
		if bytes.Contains(stack, []byte(function)) {
			in = append(in, stack)
		}
	}
	return bytes.Join(in, []byte("\n\n"))
}

// table is what came of all cases.
type table struct {
	mu   sync.Mutex
	rows map[string]result
}

// add has a case's result take the place of the one it has.
func (t *table) add(r result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = map[string]result{}
	}
	t.rows[r.Target+"/"+r.Kernel+"/"+r.Case] = r
}

// sorted are the results in an order that does not depend on the run.
func (t *table) sorted() []result {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.SortedFunc(maps.Values(t.rows), func(a, b result) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Kernel, b.Kernel), cmp.Compare(a.Case, b.Case))
	})
}
