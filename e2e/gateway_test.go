//go:build e2e

package e2e

import (
	"fmt"
	"net/netip"
)

// load configures the cloud's end of a tunnel, as strict as Alibaba's: one
// proposal a phase, one CHILD_SA for all subnets with IKEv2, one for each pair
// with IKEv1. Its own lifetimes are far longer than any the reply names, so
// that the device is the one to rekey, and odd, so that charon logs another.
func (s said) load(gateway *charon, n int) error {
	if err := gateway.clear(); err != nil {
		return err
	}
	t := s.Tunnels[n]
	children := section{}
	for i, c := range t.children(s) {
		children[fmt.Sprintf("c%d", i+1)] = section{
			"local_ts": text(c.Cloud), "remote_ts": text(c.Peer), "esp_proposals": []string{t.espProposal()},
			"rekey_time": "0", "life_time": "100001",
		}
	}
	version := "2"
	if t.v1() {
		version = "1"
	}
	conn := section{
		"version": version, "local_addrs": []string{t.CloudAddress.String()}, "remote_addrs": []string{t.PeerAddress.String()},
		"proposals": []string{t.ikeProposal()}, "rekey_time": "0", "mobike": "no",
		"local-1":  section{"auth": "psk", "id": identity(t.Ike["LocalId"])},
		"remote-1": section{"auth": "psk", "id": identity(t.Ike["RemoteId"])},
		"children": children,
	}
	if t.v1() && t.Ike["IkeMode"] == "aggressive" {
		conn["aggressive"] = "yes"
	}
	if t.DPD {
		conn["dpd_delay"] = "10"
	}
	if err := gateway.do("load-conn", section{"cloud": conn}); err != nil {
		return err
	}
	return gateway.do("load-shared", section{
		"id": "psk", "type": "IKE", "data": t.Ike["Psk"],
		"owners": []string{identity(t.Ike["RemoteId"])},
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
