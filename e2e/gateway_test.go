//go:build e2e

package e2e

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"strings"
)

// load configures the cloud's end of a tunnel, as strict as Alibaba's: one
// proposal a phase, one CHILD_SA for all subnets with IKEv2, one for each pair
// with IKEv1. Its own lifetimes are far longer than any the reply names, so
// that the device is the one to rekey, and odd, so that charon logs another.
func (l *lab) loadGateway(s said, n int) error {
	gateway, t := l.gateway[n], s.Tunnels[n]
	if err := gateway.clear(); err != nil {
		return err
	}
	children := section{}
	for i, c := range t.children(s) {
		children[fmt.Sprintf("c%d", i+1)] = section{
			"local_ts": text(c.Cloud), "remote_ts": text(c.Peer), "esp_proposals": []string{t.espProposal()},
			"rekey_time": "100000", "life_time": "100001", "rand_time": "0",
		}
		if s.routeBased() {
			maps.Copy(children[fmt.Sprintf("c%d", i+1)].(section), interfaces[l.kernel].child)
		}
	}
	version := "2"
	if t.v1() {
		version = "1"
	}
	conn := section{
		"version": version, "local_addrs": []string{t.CloudAddress.String()}, "remote_addrs": []string{t.PeerAddress.String()},
		"proposals": []string{t.ikeProposal()}, "rekey_time": "100000", "rand_time": "0", "mobike": "no",
		"local-1":  section{"auth": "psk", "id": identity(t.Ike["LocalId"])},
		"remote-1": section{"auth": "psk", "id": identity(t.Ike["RemoteId"])},
		"children": children,
	}
	if t.v1() && t.Ike["IkeMode"] == "aggressive" {
		conn["aggressive"] = "yes"
	}
	if t.DPD {
		conn["dpd_delay"] = "30"
	}
	if err := gateway.do("load-conn", section{"cloud": conn}); err != nil {
		return err
	}
	return gateway.loadKey(t.Ike["Psk"], t.Ike["RemoteId"])
}

func (c *charon) loadKey(key, peer string) error {
	return c.do("load-shared", section{"id": "psk", "type": "IKE", "data": key, "owners": []string{identity(peer)}})
}

// interfaces are how a gateway tells a tunnel for 0.0.0.0/0 from the rest.
var interfaces = map[string]struct {
	child section
	link  string
}{
	"uml":  {section{"mark_in": "42", "mark_out": "42"}, "link add tun type vti local %s remote %s key 42"},
	"qemu": {section{"if_id_in": "42", "if_id_out": "42"}, "link add tun type xfrm dev wan if_id 42"},
}

// routed gives the gateway the tunnel interface and its routes.
func (l *lab) routed(s said, n int) error {
	if !s.routeBased() {
		return nil
	}
	link := interfaces[l.kernel].link
	if strings.Contains(link, "%s") {
		link = fmt.Sprintf(link, s.Tunnels[n].CloudAddress, s.Tunnels[n].PeerAddress)
	}
	lines := []string{link, "link set tun mtu 1400 up"}
	if s.bgp() {
		_, bits, _ := strings.Cut(s.Tunnels[n].Bgp["TunnelCidr"], "/")
		lines = append(lines, "addr add "+s.Tunnels[n].Bgp["LocalBgpIp"]+"/"+bits+" dev tun")
	}
	for _, p := range behindPeer {
		if !s.bgp() {
			lines = append(lines, "route add "+p.String()+" dev tun")
		}
	}
	net := l.net(fmt.Sprintf("gw%d", n+1))
	if err := batch(net, lines...); err != nil {
		return err
	}
	return space{net: net}.in(func() error {
		return os.WriteFile("/proc/sys/net/ipv4/conf/tun/disable_policy", []byte("1"), 0)
	})
}

// selectors are a child's, both ends'.
type selectors struct{ Cloud, Peer nets }

type nets = []netip.Prefix

// children are the SAs that the gateway takes: with IKEv2 one with all subnets,
// with IKEv1 one for each pair.
func (t saidTunnel) children(s said) []selectors {
	if !t.v1() {
		return []selectors{{s.Cloud, s.Peer}}
	}
	return s.pairs()
}

func (s said) pairs() (out []selectors) {
	for _, c := range s.Cloud {
		for _, p := range s.Peer {
			out = append(out, selectors{nets{c}, nets{p}})
		}
	}
	return out
}
