package render

const ipsecApart = "ipsec.conf keeps two tunnels with the same subnets apart by VTIs alone: the cloud's subnets are routed into them"

// strongswanIPsec follows src/starter/keywords.txt, src/starter/args.c,
// src/libcharon/plugins/stroke/stroke_config.c and stroke_cred.c of
// strongswan/strongswan. Algorithms and identities are the words of swanctl,
// as charon reads both.
var strongswanIPsec = Dialect{
	Name:    "strongswan-ipsec",
	Title:   "strongSwan by ipsec.conf",
	Comment: "#",
	MaxName: 64, // as with swanctl, whose daemon it is
	Newest:  strongswanNewest,
	Oldest:  "5.2",
	Older:   "older ones read ipsec.conf by other rules",
	Files: []File{
		{Suffix: ".conf", Template: "strongswan-ipsec.conf.tmpl", Note: []string{
			"%[1]s: put it into /etc/ipsec.d/ behind the secrets, have /etc/ipsec.conf say include /etc/ipsec.d/*.conf, then ipsec update",
		}},
		{Suffix: ".secrets", Template: "strongswan-ipsec.secrets.tmpl", Note: []string{
			"%[1]s: put it into /etc/ipsec.d/ with mode 0600, have /etc/ipsec.secrets say include /etc/ipsec.d/*.secrets, then ipsec rereadsecrets",
		}},
		{Suffix: ".updown", Template: "strongswan-ipsec.updown.tmpl", When: usesVTI, Note: []string{
			"%[1]s: put it into /etc/ipsec.d/ before the rest: strongSwan's updown plugin runs it as tunnels come and go, and it makes their VTIs",
		}, Routed: routedByScript},
		frr,
	},
	Removal: []File{{Suffix: ".remove.sh", Template: "strongswan-ipsec.remove.tmpl", Note: []string{
		"%[1]s: read it, then run it as root: sh %[1]s",
	}}},
	IKE:        strongswanPhases("ikelifetime"),
	ESP:        strongswanPhases("lifetime"),
	Identities: strongswan.Identities,

	Fragmentation: strongswanFragments("fragmentation=yes"),

	Key:     keyBase64,
	KeyWord: `"%s"`,
	BGPKey:  keyFRR,
	Answers: []Answer{
		strongswanLocalAddress,
		{Name: "mark", Form: formNumber, Number: &Range{Min: 1, Max: 1<<32 - 1}, When: usesVTI, Default: addressNumber, Fallback: "the cloud's address as a number",
			Meaning: "the tunnel's mark, which no other tunnel of this host has, and the key of its VTI"},
		{Name: "vti-interface", Form: formInterface, Unique: true, When: usesVTI, Removal: usesVTI, Default: vtiName, Fallback: "vti and the cloud's address in hexadecimal",
			Meaning: "the tunnel's VTI, at most 15 characters"},
		mode, cloudRoutes,
		pathMTU, removing(announced), accepted,
	},
	Interfaced: Rule{When: isDual, Reason: ipsecApart, Hint: "leave --mode out"},
	Lacks:      noProbes,
	Refusals:   []Rule{oneKeyPerIdentity, keyIDSince},
	Notices: []Rule{
		{When: alwaysHolds, Since: "6", Warning: true, Hint: "--target strongswan; where 5.9 runs, --target strongswan-ipsec@5.9", Reason: "strongSwan 6 does not build starter and stroke, which read ipsec.conf, unless told to: where there is no ipsec command, use --target strongswan"},
		strongswan6DES,
		{When: alwaysHolds, Reason: "initiates: this host, at once; after an error reply, such as NO_PROPOSAL_CHOSEN or AUTHENTICATION_FAILED, it waits for ipsec up"},
		{When: alwaysHolds, Reason: "a conn %default of this host's ipsec.conf holds here too for what is not said below"},
		strongswanAggressive,
		{When: both(policyBased, not(isDual)), Reason: strongswanDown.Reason},
		lanDropped,
		fromPeer,
		{When: oneCloudID, Reason: "both tunnels' cloud ends have one identity, so uniqueids=never below lets them both be up: it is for all connections of this host"},
		{When: usesVTI, Reason: "have strongswan.conf say charon.install_routes = no, or traffic is routed past the VTIs"},
		{When: static, Unrouted: true, Reason: "route the VPC's networks into the tunnel's VTI once it is there: --set cloud-routes=NETWORK,NETWORK has the updown script do it"},
		{When: both(isDual, static), Unrouted: true, Reason: "route them into the first tunnel with metric 100 and into the second with metric 200; the route of a dead tunnel stays in place then"},
		{When: both(isDual, policyBased), Reason: ipsecApart},
		strongswanFailover(alwaysHolds),
	},
	Residue: []Rule{
		{When: usesVTI, Reason: "with the VTIs the routes into them go"},
		routerStays, frrKept,
		{When: oneCloudID, Reason: "uniqueids=never goes with the file: if another connection of this host needs it, say it in /etc/ipsec.conf"},
	},
}
