//go:build e2e

package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// proof is one case: what Alibaba says, for which device, and what has to come
// of it.
type proof struct {
	name     string
	target   string
	answers  []string
	says     words
	key      string // the pre-shared key, where it has blanks
	kernel   string // where the target's first will not do
	dual     bool
	part     int    // the tunnel of two that the device has, as another has the other
	nat      string // the device's own address, if it is behind a NAT
	download bool   // said in DownloadVpnConnectionConfig's reply, from the other side
	gateway  words  // a negative control: what the gateway has that Alibaba does not say,
	fails    string // and what the suite has to find
	then     func(*trial) error
}

// tunnels are the numbers of those that the device has.
func (p proof) tunnels() []int {
	switch {
	case p.part > 0:
		return []int{p.part}
	case p.dual:
		return []int{1, 2}
	}
	return []int{1}
}

// id makes the connection's from the case's name.
func (p proof) id() string {
	return "e2e" + regexp.MustCompile(`[^a-z0-9]`).ReplaceAllString(p.name, "")
}

// trial is a case being tried.
type trial struct {
	proof
	*lab
	said
	kind
	waits    func()
	device   device
	frrs     []*frr   // the gateways', then the device's
	seen     [2]ikeSA // what the gateways had when it was as it should be, before it is put to a test of its own
	settled  bool
	replaced bool // the CHILD_SAs are not the first, so they show the PFS group with IKEv2 too
}

// result is what came of a case.
type result struct {
	Case, Target, Daemon, Kernel string
	Negotiated                   string
	Seconds                      float64
	Error                        string
}

// try brings one case up and holds it to what the reply says. It calls waits when
// the case's work is done but for what then befalls it.
func (l *lab) try(p proof, waits func()) (r result) {
	begin := time.Now()
	t := &trial{proof: p, lab: l, said: p.said(), kind: kinds[p.target], waits: waits}
	err := t.prove()
	r = result{Case: p.name, Target: p.target, Kernel: l.kernel, Seconds: time.Since(begin).Seconds()}
	if t.device != nil {
		r.Daemon = t.device.version()
	}
	switch why, refused := t.refuses[p.name]; {
	case refused && err == nil:
		r.Negotiated = "not rendered: " + why
	case refused || p.fails == "" && err != nil:
		r.Error = err.Error() + t.logs()
	case p.fails == "":
		r.Negotiated = t.negotiated()
	case err == nil:
		r.Error = "a negative control passed: wanted to find " + p.fails + t.logs()
	default:
		found := regexp.MustCompile(p.fails).FindString(err.Error() + t.logs())
		if found == "" {
			r.Error = fmt.Sprintf("a negative control failed for another reason than %s: %v%s", p.fails, err, t.logs())
		}
		r.Negotiated = "refused, as it has to be: " + found
	}
	for _, f := range t.frrs {
		f.stop()
	}
	if err != nil && t.then != nil {
		l.plan = "" // what is cut may be so yet: the next case builds anew
	}
	if t.device != nil {
		t.device.stop()
		if err := l.clean(); err != nil && r.Error == "" {
			r.Error = err.Error()
		}
	}
	return r
}

// logs are the last lines of what the daemons wrote.
func (t *trial) logs() string {
	out := ""
	for n, g := range t.lab.gateway[:len(t.tunnels())] {
		if g != nil {
			out += fmt.Sprintf("\n--- gateway %d\n%s", n+1, tail(g.log()))
		}
	}
	if t.device != nil {
		out += "\n--- device\n" + tail(t.device.log())
	}
	for n, f := range t.frrs {
		out += fmt.Sprintf("\n--- FRR %d of %d\n%s", n+1, len(t.frrs), tail(string(contents(f.dir, "bgpd"))))
	}
	return out
}

func tail(log string) string {
	lines := strings.Split(log, "\n")
	return strings.Join(lines[max(0, len(lines)-100):], "\n")
}

func (t *trial) prove() error {
	files, err := t.rendered()
	if why, ok := t.refuses[t.proof.name]; ok {
		if err == nil || !strings.Contains(err.Error(), why) {
			return fmt.Errorf("not refused for %q: %v", why, err)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if err := t.use(t.said); err != nil {
		return err
	}
	for n := range t.said.Tunnels {
		if err := errors.Join(t.lab.gateway[n].forget(), t.loadGateway(t.said, n)); err != nil {
			return fmt.Errorf("gateway %d: %w", n+1, err)
		}
	}
	if err := t.prepare(files); err != nil {
		return err
	}
	if err := t.wire.begin(); err != nil {
		return err
	}
	if err := t.speaks(files); err != nil {
		return err
	}
	if t.device, err = t.start(t.lab, t.said, t.target, files); err != nil {
		return err
	}
	found := false // what a negative control is to find
	up := within(40*time.Second, 50*time.Millisecond, func() error {
		err := t.up()
		if found = err != nil && t.fails != "" && regexp.MustCompile(t.fails).MatchString(t.logs()); found {
			return nil
		}
		return err
	})
	if found {
		return errors.New("the tunnel does not come up")
	}
	if up != nil {
		return up
	}
	steps := []func() error{func() error { return t.follow(t.said, files) }, t.offered, t.kept, t.peered, t.crossed, t.rekeyed}
	if t.then != nil {
		steps = append(steps, func() error { t.settled = true; t.waits(); return t.then(t) })
	}
	for _, step := range append(steps, t.sealed) {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// rendered is what the program writes for the device, or why it does not. In a
// guest, whose kernel is slow to start programs, its host had it write.
func (t *trial) rendered() (map[string]string, error) {
	dir := filepath.Join(os.Getenv("E2E_OUT"), t.place())
	if t.lab.kernel == "host" {
		dir = filepath.Join(t.lab.dir, "rendered")
		if err := errors.Join(os.RemoveAll(dir), t.render(dir)); err != nil {
			return nil, err
		}
	}
	if complaint, err := os.ReadFile(filepath.Join(dir, "complaint")); err != nil || len(complaint) > 0 {
		return nil, errors.Join(err, errors.New(string(complaint)))
	}
	entries, err := os.ReadDir(filepath.Join(dir, "files"))
	files := map[string]string{}
	for _, e := range entries {
		b, rerr := os.ReadFile(filepath.Join(dir, "files", e.Name()))
		files[e.Name()], err = string(b), errors.Join(err, rerr)
	}
	return files, err
}

// place is the case's among others.
func (p proof) place() string { return filepath.Join("rendered", p.target, p.name) }

// render has the program write the device's configuration, and keeps its
// complaint if it does not.
func (p proof) render(dir string) error {
	source := filepath.Join(dir, "reply.json")
	if err := write(map[string]string{source: string(p.replies())}); err != nil {
		return err
	}
	args := []string{"render", "--target", p.target}
	for _, a := range append(slices.Clone(kinds[p.target].site), p.answers...) {
		args = append(args, "--set", a)
	}
	if p.part > 0 {
		args = append(args, "--tunnel", fmt.Sprint(p.part))
	}
	cmd := exec.Command(os.Getenv("PEERCONF"), append(args, "-o", filepath.Join(dir, "files")+"/", source)...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	err := cmd.Run()
	if err == nil {
		complaint.Reset() // they were notices
	} else {
		fmt.Fprintf(&complaint, "peerconf: %v", err)
	}
	return os.WriteFile(filepath.Join(dir, "complaint"), complaint.Bytes(), 0o600)
}

// up holds what the gateways have negotiated to the reply's words.
func (t *trial) up() error {
	for n := range t.said.Tunnels {
		if err := t.tunnelUp(n); err != nil {
			return fmt.Errorf("tunnel %d: %w", n+1, err)
		}
	}
	return nil
}

func (t *trial) tunnelUp(n int) error {
	want := t.said.Tunnels[n]
	sas := t.lab.gateway[n].sas()
	if len(sas) != 1 || sas[0].State != "ESTABLISHED" {
		return fmt.Errorf("%d IKE_SAs", len(sas))
	}
	got := sas[0]
	enc, hash := encryption[want.Ike["IkeEncAlg"]], hash[want.Ike["IkeAuthAlg"]]
	for _, c := range []struct{ what, got, want string }{
		{"IKE version", "ikev" + got.Version, want.Ike["IkeVersion"]},
		{"cloud identity", got.LocalID, want.Ike["LocalId"]},
		{"peer identity", got.RemoteID, want.Ike["RemoteId"]},
		{"IKE encryption", got.Encryption + got.Bits, enc[1] + enc[2]},
		{"IKE integrity", got.Integrity, hash[1]},
		{"PRF", got.PRF, hash[2]},
		{"IKE group", got.Group, group[want.Ike["IkePfs"]][1]},
	} {
		if c.got != c.want {
			return fmt.Errorf("%s %s, not %s", c.what, c.got, c.want)
		}
	}
	err := t.childrenUp(want, got.Children)
	if err == nil && !t.settled {
		t.seen[n] = got
	}
	return err
}

func (t *trial) childrenUp(want saidTunnel, got []childSA) error {
	expected := want.children(t.said)
	if t.pairwise {
		expected = t.said.pairs()
	}
	var have, wanted []string
	for _, e := range expected {
		wanted = append(wanted, joined(e.Cloud)+" = "+joined(e.Peer))
	}
	enc, hash := encryption[want.Ipsec["IpsecEncAlg"]], hash[want.Ipsec["IpsecAuthAlg"]]
	for _, c := range got {
		slices.Sort(c.Local)
		slices.Sort(c.Remote)
		have = append(have, strings.Join(c.Local, ",")+" = "+strings.Join(c.Remote, ","))
		if c.Encryption+c.Bits != enc[1]+enc[2] || c.Integrity != hash[1] {
			return fmt.Errorf("ESP is %s%s and %s, not %s%s and %s", c.Encryption, c.Bits, c.Integrity, enc[1], enc[2], hash[1])
		}
		if pfs := group[want.Ipsec["IpsecPfs"]][1]; (want.v1() || t.replaced) && c.Group != pfs {
			return fmt.Errorf("PFS is %q, not %q", c.Group, pfs)
		}
	}
	slices.Sort(have)
	slices.Sort(wanted)
	if !slices.Equal(have, wanted) {
		return fmt.Errorf("CHILD_SAs %q, not %q", have, wanted)
	}
	return nil
}

// offered holds the lifetimes an IKEv1 device offers to the reply's: those of
// phase 1 are read from its packets, those of phase 2 from the gateway's log,
// as they are encrypted.
func (t *trial) offered() error {
	heard, err := t.wire.end()
	if err != nil {
		return err
	}
	for n, want := range t.said.Tunnels {
		if !want.v1() {
			continue
		}
		if len(heard.Lifetimes) == 0 {
			return errors.New("no IKEv1 offer was heard")
		}
		for _, l := range heard.Lifetimes {
			if life := fmt.Sprint(l); !slices.ContainsFunc(t.said.Tunnels, func(t saidTunnel) bool { return t.Ike["IkeLifetime"] == life }) {
				return fmt.Errorf("IKE lifetime on the wire %s, not %s", life, want.Ike["IkeLifetime"])
			}
		}
		phase2 := regexp.MustCompile(`received (\d+)s lifetime`).FindAllStringSubmatch(t.lab.gateway[n].log(), -1)
		if len(phase2) == 0 {
			return errors.New("no phase 2 lifetime was received")
		}
		for _, m := range phase2 {
			if m[1] != want.Ipsec["IpsecLifetime"] {
				return fmt.Errorf("ESP lifetime on the wire %s, not %s", m[1], want.Ipsec["IpsecLifetime"])
			}
		}
	}
	return nil
}

// kept holds the lifetimes the device works with to the reply's. The gateway may
// have been done a moment before it.
func (t *trial) kept() error {
	return within(5*time.Second, 100*time.Millisecond, func() error { return t.device.lifetimes(t.said) })
}

func (t *trial) crossed() error { return t.pings(t.said, "vpc1") }

// rekeyed proves the PFS group, which a first IKEv2 CHILD_SA does not show
// (RFC 7296 §1.2), and that traffic goes on.
func (t *trial) rekeyed() error {
	if err := t.device.rekey(); err != nil {
		return err
	}
	t.replaced = true
	if err := within(15*time.Second, 50*time.Millisecond, t.up); err != nil {
		return fmt.Errorf("after rekeying: %w", err)
	}
	return t.crossed()
}

// sealed: nothing but IKE and ESP was on the wire, and ESP was.
func (t *trial) sealed() error {
	heard, err := t.wire.end()
	if err != nil {
		return err
	}
	if len(heard.Foreign) > 0 {
		return fmt.Errorf("on the wire: %s", strings.Join(unique(heard.Foreign), "; "))
	}
	if heard.ESP == 0 {
		return errors.New("no ESP on the wire")
	}
	return nil
}

// negotiated says in a line what a case ended with.
func (t *trial) negotiated() string {
	var out []string
	for _, sa := range t.seen[:len(t.tunnels())] {
		s := fmt.Sprintf("IKEv%s %s%s %s %s", sa.Version, sa.Encryption, sa.Bits, sa.Integrity, sa.Group)
		if len(sa.Children) > 0 {
			c := sa.Children[0]
			s += fmt.Sprintf(", %d × ESP %s%s %s %s", len(sa.Children), c.Encryption, c.Bits, c.Integrity, c.Group)
		}
		out = append(out, strings.TrimSpace(s))
	}
	if b := t.said.Tunnels[0].Bgp; t.said.bgp() {
		s := "BGP of AS " + b["PeerAsn"] + " and " + b["LocalAsn"]
		if b["AuthKey"] != "" {
			s += " with a key"
		}
		return strings.Join(append(unique(out), s), "; ")
	}
	return strings.Join(unique(out), "; ")
}
