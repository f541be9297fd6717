//go:build e2e

package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"peerconf/e2e/router"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The sessions are between the tunnel's addresses; no network is routed by hand.
const (
	sessions    = everything + " LocalAsn=45104 PeerAsn=65001 EnableBgp=true LocalBgpIp=169.254.11.1 PeerBgpIp=169.254.11.2 TunnelCidr=169.254.11.0/30 2.LocalBgpIp=169.254.12.1 2.PeerBgpIp=169.254.12.2 2.TunnelCidr=169.254.12.0/30"
	keyed       = sessions + " AuthKey=a-bgp$k3y"
	hold        = 30 * time.Second // that the text promises
	connect     = 10 * time.Second // until the device tries a session again
	slack       = 10 * time.Second // of a slow kernel
	bgpPrepends = 2                // that the standby puts in front
)

// announces is what the operator says of the networks behind the device.
var announces = []string{"announce=10.0.0.0/24,10.0.1.0/24"}

// ofBGP are the cases of targets that leave BGP to FRR.
func ofBGP(kernel string) []proof {
	return []proof{
		{name: "bgp", kernel: kernel, answers: announces, says: sessions + " PeerAsn=65546"},
		{name: "bgp-failover", kernel: kernel, answers: announces, dual: true, says: keyed, then: bgpFailover},
	}
}

// againstBGP are what they must find.
func againstBGP(kernel string) []proof {
	return []proof{
		{name: "bgp-wrong-key", kernel: kernel, answers: announces, says: keyed, gateway: "AuthKey=another", fails: `[1-9]\d* segments with another key`},
		{name: "bgp-wrong-asn", kernel: kernel, answers: announces, says: keyed, gateway: "PeerAsn=65002", fails: "Bad Peer AS"},
	}
}

func (s said) bgp() bool { return s.Tunnels[0].Bgp["LocalAsn"] != "" }

func (s said) bgpAddresses() (out []string) {
	for _, t := range s.Tunnels {
		out = append(out, t.Bgp["LocalBgpIp"])
	}
	return out
}

// frr is a running FRR, its zebra and bgpd.
type frr struct {
	space
	dir  string
	cmds []*exec.Cmd
}

// frr starts FRR on a host with a text: the device's is read as the operator
// would have it, by vtysh, the others' by bgpd, which is sooner.
func (l *lab) frr(host, text string, operator bool) (*frr, error) {
	dir := filepath.Join(l.dir, host+"-frr")
	f := &frr{dir: dir, space: space{net: l.net(host), first: l.first, binds: [][2]string{{"/run", dir + "/run"}}}}
	if err := errors.Join(os.RemoveAll(dir), write(map[string]string{dir + "/run/frr/conf": text, dir + "/run/frr/debug": events, dir + "/run/frr/both": events + text}), owned("frr", dir+"/run/frr"), owned("frr", dir+"/run/frr/debug"), owned("frr", dir+"/run/frr/both")); err != nil {
		return nil, err
	}
	read := map[bool]string{true: "/run/frr/debug", false: "/run/frr/both"}[operator]
	for _, d := range [][3]string{{"zebra", "zserv.api", "/dev/null"}, {"bgpd", "bgpd.vty", read}} {
		cmd, err := f.daemon(filepath.Join(dir, d[0]), "/usr/lib/frr/"+d[0], "-f", d[2], "--log", "stdout", "--log-level", "debugging")
		if err != nil {
			return f, err
		}
		f.cmds = append(f.cmds, cmd)
		if err := within(10*time.Second, 50*time.Millisecond, func() error { _, err := os.Stat(filepath.Join(dir, "run/frr", d[1])); return err }); err != nil {
			return f, fmt.Errorf("%w\n%s", err, contents(dir, d[0]))
		}
	}
	if !operator {
		return f, nil
	}
	_, err := f.run("vtysh", "-f", "/run/frr/conf")
	return f, err
}

// events has bgpd write of its sessions.
const events = "debug bgp neighbor-events\ndebug bgp nht\n"

// owned gives a directory to a user.
func owned(name, dir string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	id, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	return os.Chown(dir, id, -1)
}

func (f *frr) stop() {
	for _, c := range slices.Backward(f.cmds) {
		end(c)
	}
}

// shown reads what bgpd answers to a command. vtysh would ask it the same, but
// takes a second to start in user-mode Linux.
func (f *frr) shown(command string, into any) error {
	ctl, err := net.Dial("unix", filepath.Join(f.dir, "run/frr/bgpd.vty"))
	if err != nil {
		return err
	}
	defer ctl.Close()
	ctl.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := ctl.Write([]byte("show bgp " + command + " json\x00")); err != nil {
		return err
	}
	var answer []byte
	for buf := make([]byte, 4096); !bytes.Contains(answer, []byte{0, 0, 0}); { // and a status
		n, err := ctl.Read(buf)
		if err != nil {
			return err
		}
		answer = append(answer, buf[:n]...)
	}
	text, _, _ := bytes.Cut(answer, []byte{0})
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("show bgp %s: %w\n%s", command, err, text)
	}
	return nil
}

// speaks has the cloud's ends and the device speak BGP: those from the reply's
// words, the device from the text.
func (t *trial) speaks(files map[string]string) error {
	if !t.said.bgp() {
		return nil
	}
	for n := range t.said.Tunnels {
		if err := t.speak(fmt.Sprintf("gw%d", n+1), t.said.speaker(n)); err != nil {
			return err
		}
	}
	if t.router {
		text, err := inPlace(t.target, files)
		if err != nil {
			return err
		}
		return t.speak("dev", text)
	}
	for name, text := range files {
		if strings.HasSuffix(name, ".frr") {
			return t.speak("dev", text)
		}
	}
	return errors.New("nothing for FRR")
}

// inPlace is FRR's text for what an independent reader finds in a router's.
func inPlace(target string, files map[string]string) (string, error) {
	sessions, err := router.ReadBGP(targetName(target), strings.Join(slices.Collect(maps.Values(files)), ""))
	if err != nil {
		return "", err
	}
	var lines []string
	for i, s := range sessions {
		name, peer := fmt.Sprint("s", i+1), " neighbor "+s.CloudAddress
		lines = append(lines, "route-map "+name+"-in permit 10", " match ip address prefix-list "+name+"-in", fmt.Sprint(" set local-preference ", s.LocalPreference), "exit",
			"route-map "+name+"-out permit 10", " match ip address prefix-list "+name+"-out")
		if s.Prepend != "" {
			lines = append(lines, " set as-path prepend "+s.Prepend)
		}
		lines = append(lines, "exit")
		for way, networks := range map[string][]string{"-in": s.Takes, "-out": s.Announces} {
			for _, n := range networks {
				network, denied := strings.CutPrefix(n, "not ")
				lines = append(lines, "ip prefix-list "+name+way+map[bool]string{true: " deny ", false: " permit "}[denied]+network)
			}
		}
		lines = append(lines, fmt.Sprint("router bgp ", s.ASN), fmt.Sprint(peer, " remote-as ", s.CloudASN), fmt.Sprint(peer, " ebgp-multihop ", s.Hops),
			fmt.Sprint(peer, " timers ", s.Hold/3, " ", s.Hold), peer+" timers connect 10")
		if s.Key != "" {
			lines = append(lines, peer+" password "+s.Key)
		}
		lines = append(lines, " address-family ipv4 unicast", " "+peer+" route-map "+name+"-in in", " "+peer+" route-map "+name+"-out out")
		for _, n := range s.Announces {
			lines = append(lines, "  network "+n)
		}
		lines = append(lines, " exit-address-family", "exit")
	}
	return strings.Join(lines, "\n") + "\n", nil
}

func (t *trial) speak(host, text string) error {
	f, err := t.lab.frr(host, text, host == "dev" && !t.router)
	if f != nil {
		t.frrs = append(t.frrs, f)
	}
	return err
}

// speaker is FRR's text for the cloud's end of a tunnel. It waits for the
// device, asks for no shorter times than it, and has a default route to offer.
// Its metric speaks for the second tunnel, as else chance would decide between
// two that the device likes as well.
func (s said) speaker(n int) string {
	b := s.Tunnels[n].Bgp
	peer := " neighbor " + b["PeerBgpIp"]
	lines := []string{"route-map metric permit 10", " set metric " + fmt.Sprint(9-n), "exit", "router bgp " + b["LocalAsn"], " no bgp ebgp-requires-policy", " bgp router-id " + s.Tunnels[n].CloudAddress.String(),
		peer + " remote-as " + b["PeerAsn"], peer + " passive"}
	if b["AuthKey"] != "" {
		lines = append(lines, peer+" password "+b["AuthKey"])
	}
	lines = append(lines, " address-family ipv4 unicast", " "+peer+" default-originate")
	_, cloud := s.networks()
	for _, c := range cloud {
		lines = append(lines, "  network "+c.String()+" route-map metric")
	}
	return strings.Join(lines, "\n") + "\n exit-address-family\nexit\n"
}

// peered waits until what the ends have learned is as it has to be.
func (t *trial) peered() error {
	if !t.said.bgp() {
		return nil
	}
	var found error // what a negative control is to find
	err := within(hold, 500*time.Millisecond, func() error {
		err := t.learned()
		if err != nil && t.fails != "" && regexp.MustCompile(t.fails).MatchString(err.Error()) {
			found, err = err, nil
		}
		return err
	})
	return errors.Join(found, err)
}

func (t *trial) learned() error {
	for n := range t.said.Tunnels {
		if err := t.learnedThrough(n); err != nil {
			return fmt.Errorf("BGP in tunnel %d: %w", n+1, err)
		}
	}
	return t.through(0)
}

// learnedThrough holds a session to the reply's and the text's words: the
// networks of both ends and no other, and a longer path to the standby.
func (t *trial) learnedThrough(n int) error {
	b := t.said.Tunnels[n].Bgp
	device, gateway := t.frrs[len(t.said.Tunnels)], t.frrs[n]
	if err := errors.Join(device.session(b["LocalBgpIp"], b["LocalAsn"]), gateway.session(b["PeerBgpIp"], b["PeerAsn"])); err != nil {
		return err
	}
	peer, cloud := t.networks()
	path := b["PeerAsn"]
	if n == 1 {
		path += strings.Repeat(" "+b["PeerAsn"], bgpPrepends)
	}
	return errors.Join(device.has(cloud, b["LocalBgpIp"], b["LocalAsn"]), gateway.has(peer, b["PeerBgpIp"], path))
}

// session is up, and dead after what the device asks for.
func (f *frr) session(address, as string) error {
	var all map[string]struct {
		RemoteAs                       json.Number
		BgpState                       string
		BgpTimerHoldTimeMsecs          int
		LastNotificationReason         string
		BgpTimerKeepAliveIntervalMsecs int
	}
	if err := f.shown("neighbors "+address, &all); err != nil {
		return err
	}
	got := all[address]
	switch {
	case got.BgpState != "Established":
		return fmt.Errorf("%s is %s, %s, %d segments with another key", address, got.BgpState, got.LastNotificationReason, f.otherKey())
	case got.RemoteAs.String() != as || got.BgpTimerHoldTimeMsecs != int(hold.Milliseconds()):
		return fmt.Errorf("%s is AS %s, dead after %d ms", address, got.RemoteAs, got.BgpTimerHoldTimeMsecs)
	}
	return nil
}

// otherKey counts what the kernel has thrown away for its MD5 signature.
func (f *frr) otherKey() (n int) {
	var counters []byte
	f.in(func() (err error) {
		counters, err = os.ReadFile("/proc/thread-self/net/netstat")
		return err
	})
	lines := strings.Split(string(counters), "\n") // of names, of values, by twos
	for i := 0; i+1 < len(lines); i += 2 {
		if at := slices.Index(strings.Fields(lines[i]), "TCPMD5Failure"); at >= 0 {
			fmt.Sscan(strings.Fields(lines[i+1])[at], &n)
		}
	}
	return n
}

// has holds what came from an address to networks and their path.
func (f *frr) has(networks []netip.Prefix, from, path string) error {
	var all struct {
		Routes map[string][]struct{ PeerID, Path string }
	}
	if err := f.shown("ipv4 unicast", &all); err != nil {
		return err
	}
	var have, want []string
	for _, prefix := range slices.Sorted(maps.Keys(all.Routes)) {
		for _, r := range all.Routes[prefix] {
			if r.PeerID == from {
				have = append(have, prefix+" by "+r.Path)
			}
		}
	}
	for _, p := range networks {
		want = append(want, p.String()+" by "+path)
	}
	if !slices.Equal(have, want) {
		return fmt.Errorf("%s says %q, not %q", from, have, want)
	}
	return nil
}

// through tells whether the kernel of the device sends into a tunnel.
func (t *trial) through(n int) error {
	_, cloud := t.networks()
	b := t.said.Tunnels[n].Bgp
	link, err := t.lab.space("dev").run("ip", "-o", "addr", "show", "to", b["PeerBgpIp"])
	if err != nil {
		return err
	}
	for _, c := range cloud {
		out, err := t.lab.space("dev").run("ip", "route", "get", host(c).String())
		if err != nil {
			return err
		}
		if name := strings.Fields(link + " - -")[1]; !strings.Contains(out, " via "+b["LocalBgpIp"]+" dev "+name+" ") {
			return fmt.Errorf("not routed to %s of tunnel %d: %s", name, n+1, out)
		}
	}
	return nil
}

// bgpFailover kills the active tunnel and wants the traffic in the other when a
// dead session is given up, and in the first again.
func bgpFailover(t *trial) error {
	begin := time.Now()
	if err := t.cut(0); err != nil {
		return err
	}
	second := func() error { return errors.Join(t.through(1), t.pings(t.said, "vpc2")) }
	if err := within(hold+slack, 500*time.Millisecond, second); err != nil {
		return fmt.Errorf("not in the second tunnel after %v: %w", time.Since(begin), err)
	}
	begin = time.Now()
	if err := t.mend(t.said, 0); err != nil {
		return err
	}
	t.replaced = false
	if err := within(t.promised(), 500*time.Millisecond, t.up); err != nil {
		return fmt.Errorf("the first tunnel is not back: %w", err)
	}
	up := time.Since(begin)
	back := func() error { return errors.Join(t.learned(), t.crossed()) }
	if err := within(connect+slack, 500*time.Millisecond, back); err != nil {
		return fmt.Errorf("not back in the first tunnel after %v, up after %v: %w", time.Since(begin), up, err)
	}
	return nil
}
