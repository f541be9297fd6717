//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
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
	log() string
	stop()
}

// kind is how a target's configuration comes to life.
type kind struct {
	start    func(l *lab, s said, files map[string]string) (device, error)
	kernels  []string // that it is tried in; most cases in the first
	pairwise bool     // with IKEv2 too it makes an SA for each pair of subnets
	site     []string // answers that the lab's device needs
	words    []axis   // what it can say
	without  []string // common cases that it refuses, or that need another kernel
	own      []proof  // cases of this target alone
}

var kinds = map[string]kind{
	"strongswan": {start: swanctl, kernels: []string{"host", "uml", "qemu"}, words: axes, own: []proof{
		{name: "dual", kernel: "uml", dual: true},
		{name: "dual-subnets", kernel: "uml", dual: true, says: subnets},
		{name: "dual-failover", kernel: "uml", dual: true, then: failover},
		{name: "dual-failover-ikev1", kernel: "uml", dual: true, says: "IkeVersion=ikev1", then: failover},
		{name: "route", kernel: "qemu", says: everything},
		{name: "route-ikev1", kernel: "qemu", says: "IkeVersion=ikev1 " + everything},
		{name: "route-dual", kernel: "qemu", dual: true, says: everything},
	}},
}

// swanctl puts the files where their notes say, and loads them.
func swanctl(l *lab, s said, files map[string]string) (device, error) {
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
	if err := l.follow(s, files); err != nil {
		return c, err
	}
	out, err := c.swanctl("--load-all")
	if complaint := complaints.FindString(out); complaint != "" && err == nil {
		err = fmt.Errorf("swanctl --load-all: %s", complaint)
	}
	return c, err
}

var complaints = regexp.MustCompile(`(?im)^.*\b(fail|failed|error|invalid|unknown|unsupported|ignor\w+)\b.*$`)

// follow does what the text tells the operator to do: XFRM interfaces, routes
// into them, and a route that stops what would leave in plain.
func (l *lab) follow(s said, files map[string]string) error {
	_, cloud := s.networks()
	for _, text := range files {
		if strings.Contains(text, "ip route add unreachable CLOUD-SUBNET") {
			for _, c := range cloud {
				if err := batch(l.net("dev"), "route replace unreachable "+c.String()); err != nil {
					return err
				}
			}
		}
	}
	instruction := regexp.MustCompile(`ip link add IFNAME type xfrm dev INTERFACE if_id (\d+)`)
	for _, text := range files {
		for i, m := range instruction.FindAllStringSubmatch(text, -1) {
			name := fmt.Sprintf("xfrm%d", i+1)
			lines := []string{
				"link add " + name + " type xfrm dev wan if_id " + m[1], "link set " + name + " mtu 1400 up",
			}
			for _, c := range cloud {
				lines = append(lines, fmt.Sprintf("route add %s dev %s metric %d", c, name, 100*(i+1)))
			}
			if err := batch(l.net("dev"), lines...); err != nil {
				return err
			}
		}
	}
	return nil
}

// lifetimes: charon tells how long until an SA is replaced, and until it ends.
func (c *charon) lifetimes(s said) error {
	for _, sa := range c.sas() {
		t, ok := s.ends(sa.RemoteHost)
		if !ok {
			return fmt.Errorf("the device has an SA with %s", sa.RemoteHost)
		}
		if err := near("IKE rekeying", sa.Rekey, t.Ike["IkeLifetime"], 0.9); err != nil {
			return err
		}
		for _, child := range sa.Children {
			if err := near("ESP rekeying", child.Rekey, t.Ipsec["IpsecLifetime"], 0.9); err != nil {
				return err
			}
			if err := near("ESP lifetime", child.Life, t.Ipsec["IpsecLifetime"], 1); err != nil {
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

// near holds a countdown to the moment it began, seconds ago. What is replaced
// early is so by up to a tenth of the lifetime more, at random.
func near(what, seconds, lifetime string, part float64) error {
	var left, life float64
	fmt.Sscan(seconds, &left)
	fmt.Sscan(lifetime, &life)
	begin, early := life*part, 10.0
	if part < 1 {
		early += life / 10
	}
	if left > begin+1 || left < begin-early {
		return fmt.Errorf("%s in %s s, with a lifetime of %s s", what, seconds, lifetime)
	}
	return nil
}

// rekey replaces every CHILD_SA and, with IKEv2, the IKE_SA.
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
		}
	}
	return nil
}

func (c *charon) connected() bool {
	for _, sa := range c.sas() {
		if sa.State == "ESTABLISHED" {
			return true
		}
	}
	return false
}

func (c *charon) down() error {
	for _, sa := range c.sas() {
		if err := c.do("terminate", section{"ike-id": sa.ID}); err != nil {
			return err
		}
	}
	return nil
}
