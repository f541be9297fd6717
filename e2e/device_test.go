//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"peerconf/e2e/router"
	"regexp"
	"strings"
	"time"
)

// device is the customer's end, running what was rendered for it.
type device interface {
	version() string
	lifetimes(said) error // whether they are what the reply says, and SAs are replaced before
	rekey() error         // has every SA replaced
	connected() bool      // whether any tunnel is up, as it believes
	down() error          // ends its tunnels, as the operator would
	again(string) error   // has it try a tunnel that it gave up for an error reply, as its text says
	log() string
	stop()
}

// swanctl puts the files where their notes say, and loads them.
func swanctl(l *lab, s said, _ string, files map[string]string) (device, error) {
	c, err := l.strongswan("dev", "")
	if err != nil {
		return nil, err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(c.dir, "swanctl/conf.d", name), []byte(text), 0o600); err != nil {
			return c, err
		}
	}
	if err := c.start("/usr/lib/ipsec/charon"); err != nil {
		return c, err
	}
	out, err := c.swanctl("--load-all")
	if complaint := complaints.FindString(out); complaint != "" && err == nil {
		err = fmt.Errorf("swanctl --load-all: %s", complaint)
	}
	return c, err
}

// starter puts the files where their notes say, and has ipsec.conf's daemon
// read them.
func starter(l *lab, s said, _ string, files map[string]string) (device, error) {
	settings := ""
	for _, text := range files {
		if strings.Contains(text, "charon.install_routes = no") {
			settings = "install_routes = no\n"
		}
	}
	c, err := l.strongswan("dev", settings, "stroke")
	if err != nil {
		return nil, err
	}
	c.margins = true
	all := map[string]string{c.dir + "/ipsec.conf": "include /etc/ipsec.d/*.conf\n", c.dir + "/ipsec.secrets": "include /etc/ipsec.d/*.secrets\n"}
	for name, text := range files {
		all[c.dir+"/ipsec.d/"+name] = text
	}
	if err := write(all); err != nil {
		return c, err
	}
	if err := c.start("/usr/lib/ipsec/starter", "--daemon", "charon", "--nofork"); err != nil {
		return c, err
	}
	out, err := os.ReadFile(c.dir + "/out")
	if complaint := complaints.Find(out); complaint != nil && err == nil {
		err = fmt.Errorf("starter: %s", complaint)
	}
	return c, err
}

var complaints = regexp.MustCompile(`(?im)^.*\b(fail|failed|error|invalid|unknown|unsupported|ignor\w+)\b.*$`)

// prepare runs the scripts that the operator is told to run first.
func (l *lab) prepare(files map[string]string) error {
	for name, text := range files {
		if strings.HasSuffix(name, ".updown") {
			path := filepath.Join(l.dir, name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				return err
			}
			if err := l.operator("sh " + path); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow does what the text tells the operator to do: a route that stops what
// would leave in plain. Scripts may still be at work on the others.
func (l *lab) follow(s said, files map[string]string) error {
	_, cloud := s.networks()
	if s.bgp() {
		return nil // FRR's routes
	}
	for name, text := range files {
		for _, c := range cloud {
			if strings.Contains(text, "ip route add unreachable CLOUD-SUBNET metric 4000") {
				if err := l.operator("ip route replace unreachable " + c.String() + " metric 4000"); err != nil {
					return err
				}
			}
			routed := func() error {
				out, err := l.space("dev").run("ip", "route", "show", c.String())
				if n := strings.Count(out, " metric "); err == nil && n < 1+len(s.Tunnels) {
					return fmt.Errorf("%d routes to %s", n, c)
				}
				return err
			}
			if strings.HasSuffix(name, ".updown") {
				if err := within(20*time.Second, 100*time.Millisecond, routed); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// operator types a command at the device.
func (l *lab) operator(command string) error {
	words := strings.Fields(command)
	_, err := l.space("dev").run(words[0], words[1:]...)
	return err
}

// clean takes away what follow and the daemons leave behind.
func (l *lab) clean() error {
	lines := []string{"xfrm state flush", "xfrm policy flush"}
	if l.kernel == "host" {
		lines = nil // it has none
	}
	err := l.space("dev").in(func() error {
		links, err := net.Interfaces()
		for _, link := range links {
			if regexp.MustCompile("^(vti|xfrm|ipsec)").MatchString(link.Name) {
				lines = append(lines, "link del "+link.Name)
			}
		}
		return err
	})
	return errors.Join(err, batch(l.net("dev"), append(lines, "route flush type unreachable", "route flush root 10.1.0.0/16")...))
}

// lifetimes: charon tells how long until an SA is replaced, and until it ends.
func (c *charon) lifetimes(s said) error {
	sas := c.sas()
	if len(sas) < len(s.Tunnels) {
		return fmt.Errorf("the device has %d IKE_SAs", len(sas))
	}
	for _, sa := range sas {
		t, ok := s.ends(sa.RemoteHost)
		if !ok {
			return fmt.Errorf("the device has an SA with %s", sa.RemoteHost)
		}
		if err := c.replaced("IKE", sa.Age, sa.Rekey, t.Ike["IkeLifetime"], t); err != nil {
			return err
		}
		for _, child := range sa.Children {
			if err := c.replaced("ESP", child.Age, child.Rekey, t.Ipsec["IpsecLifetime"], t); err != nil {
				return err
			}
			if err := countdown("ESP lifetime", child.Age, child.Life, t.Ipsec["IpsecLifetime"], 1, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s said) ends(cloud string) (saidTunnel, bool) {
	for _, t := range s.Tunnels {
		if t.CloudAddress.String() == cloud {
			return t, true
		}
	}
	return saidTunnel{}, false
}

// replaced holds the time until an SA is replaced to its lifetime: swanctl.conf
// has a tenth left, and up to another at random; ipsec.conf has one margin for
// both phases, and up to another at random.
func (c *charon) replaced(what, age, seconds, lifetime string, t saidTunnel) error {
	early, late := 0.8, 0.9
	if c.margins {
		var ike, esp, life float64
		fmt.Sscan(t.Ike["IkeLifetime"]+" "+t.Ipsec["IpsecLifetime"]+" "+lifetime, &ike, &esp, &life)
		margin := min(ike/10, esp/10, 540)
		early, late = 1-2*margin/life, 1-margin/life
	}
	return countdown(what+" rekeying", age, seconds, lifetime, early, late)
}

// countdown holds what is left to the parts of a lifetime that it may have begun
// at, no longer ago than the SA is old.
func countdown(what, age, seconds, lifetime string, early, late float64) error {
	var old, left, life float64
	if _, err := fmt.Sscan(age+" "+seconds+" "+lifetime, &old, &left, &life); err != nil {
		return fmt.Errorf("%s in %q s, %q s old: %w", what, seconds, age, err)
	}
	if left > life*late+1 || left+old < life*early-1 {
		return fmt.Errorf("%s in %s s, %s s old, with a lifetime of %s s", what, seconds, age, lifetime)
	}
	return nil
}

// rekey replaces every CHILD_SA and, with IKEv2, the IKE_SA, which it waits for.
func (c *charon) rekey() error {
	for _, sa := range c.sas() {
		for _, child := range sa.Children {
			if err := c.do("rekey", section{"child": child.Name, "ike": sa.Name}); err != nil {
				return err
			}
		}
		if sa.Version == "2" {
			time.Sleep(300 * time.Millisecond) // one exchange at a time
			if err := c.do("rekey", section{"ike": sa.Name}); err != nil {
				return err
			}
			if err := within(15*time.Second, 50*time.Millisecond, func() error { return c.without(sa.ID) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// without wants an IKE_SA to be gone.
func (c *charon) without(id string) error {
	for _, sa := range c.sas() {
		if sa.ID == id {
			return fmt.Errorf("IKE_SA %s[%s] is not replaced", sa.Name, id)
		}
	}
	return nil
}

// stand is strongSwan in a router's place, configured with what an independent
// reader finds in the router's text.
type stand struct {
	*charon
	read []router.Tunnel
}

// standIn returns what starts a stand-in for a dialect's router.
func standIn(l *lab, s said, target string, files map[string]string) (device, error) {
	var text string
	for _, t := range files {
		text += t
	}
	tunnels, err := router.Read(targetName(target), text)
	if err != nil {
		return nil, err
	}
	settings := ""
	if s.routeBased() {
		settings = "install_routes = no\n"
	}
	c, err := l.charon("dev", settings)
	if err != nil {
		return c, err
	}
	d := stand{c, tunnels}
	for i, t := range tunnels {
		if s.routeBased() {
			err = l.tunnelInterface(s, t, i+1)
		}
		if err == nil {
			gateway, _ := s.ends(t.RemoteAddress)
			err = d.load(t, i+1, s.routeBased(), gateway.Ike["LocalId"])
		}
		if err != nil {
			return d, fmt.Errorf("%s: %w", t.Name, err)
		}
	}
	return d, nil
}

// tunnelInterface is the router's: its selectors are 0.0.0.0/0, and routes
// decide, to the first tunnel before the second.
func (l *lab) tunnelInterface(s said, t router.Tunnel, number int) error {
	name := fmt.Sprintf("vti%d", number)
	commands := []string{
		fmt.Sprintf("ip link add %s type vti remote %s key %d", name, t.RemoteAddress, number),
		"ip link set " + name + " mtu 1400 up",
		"sysctl -w net.ipv4.conf." + name + ".disable_policy=1",
	}
	if end, ok := s.ends(t.RemoteAddress); s.bgp() && ok {
		commands = append(commands, "ip addr add "+end.Bgp["PeerBgpIp"]+"/30 dev "+name)
	}
	_, cloud := s.networks()
	for _, c := range cloud {
		if !s.bgp() {
			commands = append(commands, fmt.Sprintf("ip route add %s dev %s metric %d", c, name, number))
		}
	}
	for _, c := range commands {
		if err := l.operator(c); err != nil {
			return err
		}
	}
	return nil
}

func (d stand) load(t router.Tunnel, number int, marked bool, sends string) error {
	children := section{}
	for i, s := range t.Selectors {
		child := section{
			"local_ts": []string{s.Local.String()}, "remote_ts": []string{s.Remote.String()}, "esp_proposals": strings.Split(t.ESPProposal, ","),
			"life_time": fmt.Sprint(t.ESPLifetime), "rekey_time": fmt.Sprint(t.ESPLifetime - t.ESPLifetime/10), "life_bytes": fmt.Sprint(t.ESPKilobytes << 10),
			"priority": fmt.Sprint(100000 * number), // the router prefers the first
		}
		if marked {
			child["mark_in"], child["mark_out"] = fmt.Sprint(number), fmt.Sprint(number)
		}
		children[fmt.Sprintf("s%d", i+1)] = child
	}
	remote := t.RemoteIDs[0]
	for _, id := range t.RemoteIDs { // it takes any of them: that which the gateway has, if it is one
		if id == sends || id == "@"+sends {
			remote = id
		}
	}
	local := section{"auth": "psk"}
	if t.LocalID != "" {
		local["id"] = t.LocalID
	}
	conn := section{
		"version": fmt.Sprint(t.IKE), "remote_addrs": []string{t.RemoteAddress}, "proposals": strings.Split(t.IKEProposal, ","),
		"rekey_time": fmt.Sprint(t.IKELifetime - t.IKELifetime/10), "over_time": fmt.Sprint(t.IKELifetime / 10), "mobike": "no",
		"local": local, "remote": section{"auth": "psk", "id": remote}, "children": children,
	}
	if t.Aggressive {
		conn["aggressive"] = "yes"
	}
	if t.DPD {
		conn["dpd_delay"] = "10"
	}
	if err := d.do("load-shared", section{"id": t.Name, "type": "IKE", "data": string(t.PSK), "owners": []string{remote}}); err != nil {
		return err
	}
	if err := d.do("load-conn", section{t.Name: conn}); err != nil {
		return err
	}
	for name := range children {
		if err := d.do("initiate", section{"ike": t.Name, "child": name, "timeout": "-1"}); err != nil {
			return err
		}
	}
	return nil
}

// lifetimes are those read, and what strongSwan makes of them.
func (d stand) lifetimes(s said) error {
	for _, t := range d.read {
		want, ok := s.ends(t.RemoteAddress)
		if !ok {
			return fmt.Errorf("a tunnel with %s", t.RemoteAddress)
		}
		if got := fmt.Sprint(t.IKELifetime, " ", t.ESPLifetime); got != want.Ike["IkeLifetime"]+" "+want.Ipsec["IpsecLifetime"] {
			return fmt.Errorf("the router's lifetimes are %s", got)
		}
		if want.DPD != t.DPD {
			return fmt.Errorf("the router's DPD is %v", t.DPD)
		}
	}
	return d.charon.lifetimes(s)
}

func (d stand) version() string { return d.charon.version() + " in its place" }

// targetName is a target without its version.
func targetName(target string) string {
	name, _, _ := strings.Cut(target, "@")
	return name
}

func (c *charon) connected() bool {
	for _, sa := range c.sas() {
		if sa.State == "ESTABLISHED" {
			return true
		}
	}
	return false
}

func (c *charon) again(name string) error {
	if c.margins {
		_, err := c.run("/usr/lib/ipsec/stroke", "up", name)
		return err
	}
	_, err := c.swanctl("--initiate", "--child", name)
	return err
}

func (c *charon) down() error {
	return within(5*time.Second, 100*time.Millisecond, func() error {
		sas := c.sas()
		for _, sa := range sas {
			c.do("terminate", section{"ike-id": sa.ID}) // one that was replaced may be gone by now
		}
		if len(sas) > 0 {
			return fmt.Errorf("the device still has %d IKE_SAs", len(sas))
		}
		return nil
	})
}
