//go:build e2e

package e2e

import "slices"

// kind is how a target's configuration comes to life, and what it is tried
// with.
type kind struct {
	start    func(l *lab, s said, target string, files map[string]string) (device, error)
	kernels  []string          // that it is tried in; most cases in the first
	site     []string          // answers that the lab's device needs
	pairwise bool              // with IKEv2 too it makes an SA for each pair of subnets
	router   bool              // another daemon stands in, whose manners prove nothing
	ikev1    words             // what all cases with IKEv1 say, as it cannot say the usual
	words    [][]axis          // what it can say
	refuses  map[string]string // common cases that the program has to refuse, and why
	without  []string          // common cases that it is not tried with
	again    bool              // another version of a target: its words are said once each, and the suite's own controls are not tried again
	own      []proof           // cases of this target alone
}

var kinds = map[string]kind{
	"strongswan": {start: swanctl, kernels: []string{"host", "uml", "qemu"}, words: [][]axis{axes}, own: slices.Concat(ofBGP("qemu"), causes("qemu"), []proof{
		{name: "dual", kernel: "uml", dual: true},
		{name: "dual-subnets", kernel: "uml", dual: true, says: subnets},
		{name: "dual-failover", kernel: "uml", dual: true, then: failover},
		{name: "dual-failover-ikev1", kernel: "uml", dual: true, says: "IkeVersion=ikev1", then: failover},
		{name: "route", kernel: "qemu", answers: routed, says: everything},
		{name: "route-ikev1", kernel: "qemu", answers: routed, says: "IkeVersion=ikev1 " + everything},
		{name: "route-dual", kernel: "qemu", answers: routed, dual: true, says: everything},
		{name: "route-failover", kernel: "qemu", answers: routed, dual: true, says: everything, then: routeFailover},
		{name: "route-failover-ikev1", kernel: "qemu", answers: routed, dual: true, says: "IkeVersion=ikev1 " + everything, then: routeFailover},
		{name: "mode-route", kernel: "qemu", answers: byRoutes, says: subnets},
		{name: "mode-route-ikev1", kernel: "qemu", answers: byRoutes, says: "IkeVersion=ikev1 " + subnets},
		{name: "mode-route-dual", kernel: "qemu", answers: byRoutes, dual: true, says: subnets},
		{name: "mode-route-failover-busy", kernel: "qemu", answers: byRoutes, dual: true, then: busyFailover},
	})},
	"strongswan-ipsec": {start: starter, kernels: []string{"host", "uml"}, words: [][]axis{axes}, own: slices.Concat(ofBGP("uml"), causes("uml"), againstBGP("uml"), []proof{
		{name: "dual", kernel: "uml", dual: true},
		{name: "dual-subnets", kernel: "uml", dual: true, says: "IkeVersion=ikev1 " + subnets},
		{name: "dual-failover", kernel: "uml", dual: true, then: routeFailover},
		{name: "route", kernel: "uml", answers: routed, says: everything},
		{name: "route-ikev1", kernel: "uml", answers: routed, says: "IkeVersion=ikev1 " + everything},
		{name: "route-dual", kernel: "uml", answers: routed, dual: true, says: everything},
		{name: "route-failover", kernel: "uml", answers: routed, dual: true, says: everything, then: routeFailover},
		{name: "mode-route", kernel: "uml", answers: byRoutes, says: subnets},
		{name: "mode-route-ikev1", kernel: "uml", answers: byRoutes, says: "IkeVersion=ikev1 LocalSubnet=10.1.0.0/24,10.1.1.0/24"},
	})},
	"libreswan": {start: pluto("libreswan-4"), kernels: []string{"uml", "qemu"}, pairwise: true, words: [][]axis{libreswanV1, libreswanV2}, refuses: libreswanRefuses, own: ownLibreswan},
	"libreswan@5.2": {start: pluto("libreswan-5"), kernels: []string{"uml", "qemu"}, words: [][]axis{libreswan52}, refuses: libreswan52Refuses, own: ownLibreswan, again: true,
		without: []string{"bgp-failover"}}, // slow, and of the same FRR as libreswan 4's
	"cisco-ios": {start: standIn, router: true, kernels: []string{"host", "uml"}, pairwise: true, words: [][]axis{axes},
		site: []string{"outside-interface=GigabitEthernet1", "policy-number=10", "crypto-map=outside", "crypto-map-sequence=10", "tunnel-number=1"},
		own:  append(slices.Clone(ownRouter), proof{name: "mode-route", answers: byRoutes, says: subnets}, proof{name: "mode-route-ikev1", answers: byRoutes, says: "IkeVersion=ikev1 " + subnets}), refuses: map[string]string{"key-id-aggressive": "with IKEv2 only"}},
	"cisco-asa": {start: standIn, router: true, kernels: []string{"host", "uml"}, pairwise: true, ikev1: "IkeAuthAlg=sha1 IpsecAuthAlg=sha1", words: [][]axis{asaV1, asaV2}, refuses: asaRefuses,
		site: []string{"outside-interface=outside", "inside-interface=inside", "policy-number=10", "crypto-map=outside", "crypto-map-sequence=10", "tunnel-number=1", "tunnel-address.1=169.254.10.1", "tunnel-address.2=169.254.20.1"}, own: ownRouter},
	"juniper-srx": {start: standIn, router: true, kernels: []string{"host", "uml"}, pairwise: true, words: [][]axis{axes},
		site: []string{"external-interface=ge-0/0/0.0", "st0-unit=1", "vpn-zone=vpn", "lan-zone=trust", "external-zone=untrust"}, own: ownRouter},
}

// byRoutes is what the operator says who wants tunnel interfaces for subnets.
var byRoutes = []string{"mode=route"}

// ipsecInterface is what libreswan is told in place of a VTI.
var ipsecInterface = []string{"ipsec-interface=7"}

// routed is what the operator says of the networks behind the cloud.
var routed = []string{"cloud-routes=10.1.0.0/24,10.1.1.0/24"}

// only narrows what an axis says, without drops it, on a copy.
func only(axes []axis, field string, values ...string) []axis {
	out := slices.Clone(axes)
	for i, a := range out {
		if a.field == field {
			out[i].values = values
		}
	}
	return slices.DeleteFunc(out, func(a axis) bool { return len(a.values) == 0 })
}

func all(axes []axis, changes map[string][]string) []axis {
	for _, a := range slices.Clone(axes) {
		if values, ok := changes[a.field]; ok {
			axes = only(axes, a.field, values...)
		}
	}
	return axes
}

var (
	noDES       = []string{"aes", "aes192", "aes256", "3des"}
	libreswan52 = all(axes, map[string][]string{"IkeEncAlg": noDES, "IpsecEncAlg": noDES,
		"IkePfs": {"group5", "group14"}, "IpsecPfs": {"disabled", "group5", "group14"}})
	libreswanV1 = only(libreswan52, "IkeVersion", "ikev1")
	// libreswan 4 rekeys an IKEv2 child with the IKE group.
	libreswanV2 = only(only(only(libreswan52, "IkeVersion", "ikev2"), "IpsecPfs"), "IkePfs",
		"group5 IpsecPfs=group5", "group14 IpsecPfs=group14", "group14 IpsecPfs=disabled")
	libreswan52Refuses = map[string]string{"all-defaults": "modp1024"}
	libreswanRefuses   = map[string]string{"all-defaults": "modp1024", "pfs-differs": "rekeys an IKEv2 child with the IKE group"}
	ownLibreswan       = slices.Concat(ofBGP("uml"), []proof{
		{name: "dual", dual: true},
		{name: "dual-subnets", dual: true, says: subnets},
		{name: "dual-failover", dual: true, then: routeFailover},
		{name: "route", answers: routed, says: everything},
		{name: "route-ikev1", answers: routed, says: "IkeVersion=ikev1 " + everything},
		{name: "route-dual", answers: routed, dual: true, says: everything},
		{name: "route-dual-of-the-longest-name-that-there-may-be", answers: routed, dual: true, says: everything},
		{name: "route-failover", answers: routed, dual: true, says: everything, then: routeFailover},
		{name: "route-failover-ikev1", answers: routed, dual: true, says: "IkeVersion=ikev1 " + everything, then: routeFailover},
		{name: "mode-route", answers: byRoutes, says: subnets},
		{name: "mode-route-ikev1", answers: byRoutes, says: "IkeVersion=ikev1 LocalSubnet=10.1.0.0/24,10.1.1.0/24"},
		{name: "ipsec-interface", kernel: "qemu", answers: slices.Concat(ipsecInterface, byRoutes), says: subnets},
		{name: "ipsec-interface-route-ikev1", kernel: "qemu", answers: slices.Concat(ipsecInterface, routed), says: "IkeVersion=ikev1 " + everything},
	})

	ownRouter = []proof{
		{name: "dual", kernel: "uml", dual: true},
		{name: "dual-subnets", kernel: "uml", dual: true, says: subnets},
		{name: "route", kernel: "uml", says: everything},
		{name: "route-ikev1", kernel: "uml", says: "IkeVersion=ikev1 " + everything},
		{name: "route-dual", kernel: "uml", dual: true, says: everything},
		{name: "bgp-dual", kernel: "uml", answers: announces, dual: true, says: keyed},
	}

	asaV1 = all(axes, map[string][]string{"IkeVersion": {"ikev1"}, "IkeAuthAlg": {"md5", "sha1"}, "IpsecAuthAlg": {"md5", "sha1"},
		"IkePfs": {"group2", "group5", "group14"}, "IpsecPfs": {"disabled", "group2", "group5", "group14"}})
	asaV2 = all(axes, map[string][]string{"IkeVersion": {"ikev2"},
		"IkePfs": {"group2", "group5", "group14", "group24"}, "IpsecPfs": {"disabled", "group2", "group5", "group14", "group24"}})
	asaRefuses = map[string]string{
		"fqdn": "one identity for all its peers", "fqdn-aggressive": "one identity for all its peers", "mailbox": "one identity for all its peers", "ipv6-as-identity": "one identity for all its peers", "key-id": "one identity for all its peers", "key-id-aggressive": "one identity for all its peers",
		"other-address-as-identity": "tunnel-group", "hostile-key": "Psk", "hostile-key-0x": "Psk", "hostile-key-0s": "Psk", "hostile-key-quote": "Psk",
		"wrong-peer-identity": "one identity", "wrong-cloud-identity": "one identity", "swapped-identities": "one identity",
	}
)
