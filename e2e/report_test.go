//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
)

const proofHead = `# Proof

Each row is a connection as Alibaba's API describes it, rendered for a target,
loaded by a real daemon, and brought up with a strongSwan gateway configured
from the reply's own words. A row is here because both ends agreed on exactly
the algorithms, identities and subnets of the reply, its lifetimes were
offered, every pair of networks was pinged across both ways before and after
rekeying, and nothing but IKE and ESP was seen between the ends. Cases that
have to fail are listed with what was found. With BGP an FRR at both ends has
learned just the other's networks, and the standby's path is the longer. Router configurations are read
back by a reader of their own and negotiated by strongSwan in the router's
place.

` + "`make e2e`" + ` tries them all; ` + "`make proof`" + ` writes this table anew. Kernel *host* has
no ESP and leaves it to strongSwan, *uml* is user-mode Linux, *qemu* Debian's
kernel in an emulated machine. Seconds are of one run on two cores.
`

// markdown prints the table.
func (t *table) markdown() string {
	var b strings.Builder
	b.WriteString(proofHead)
	target := ""
	for _, r := range t.sorted() {
		if r.Target != target {
			target = r.Target
			fmt.Fprintf(&b, "\n## %s\n\n| case | kernel | daemon | negotiated | s |\n|---|---|---|---|---|\n", target)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.1f |\n", r.Case, r.Kernel, r.Daemon, r.Negotiated, r.Seconds)
	}
	return b.String()
}

var seconds = regexp.MustCompile(`(?m)[0-9.]+ \|$`)

// compare holds the committed table to this run, but for the seconds.
func (t *table) compare(test *testing.T, path string) {
	got := t.markdown()
	if os.Getenv("PROOF_UPDATE") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			test.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		test.Fatal(err)
	}
	if seconds.ReplaceAllString(got, "") != seconds.ReplaceAllString(string(want), "") {
		test.Errorf("%s is not what this run found; make proof writes it anew", path)
	}
}
