package render

import "peerconf/vpn"

// View is what a template prints: every value already the word this device
// has for it.
type View struct {
	Removes       bool // the text takes the configuration off
	Comment       string
	Label         string
	Target        string
	Notes         []string // what to do with the file
	Warnings      []string
	Notices       []string
	Name          string // of the connection's own objects
	Dual          bool
	RouteBased    bool // each tunnel has its interface
	Selective     bool // and subnets select what it takes
	PeerPrefixes  []string
	CloudPrefixes []string
	PeerNets      []Net
	CloudNets     []Net
	Pairs         []Pair // every peer subnet with every cloud subnet
	OnePair       bool
	Routes        []Net // what the device routes into the tunnels
	Routed        bool  // there are any
	StaticRoutes  bool  // and no traffic selectors that make them
	Probed        bool  // the first tunnel's routes hang on a probe's answers
	VTI           bool  // each tunnel needs its interface: 0.0.0.0/0, or the same pairs twice
	OneCloudID    bool  // both tunnels' cloud ends have one identity
	Tunnels       []Tunnel
	First         Tunnel // whose answers are the connection's
	Groups        []Group
	MTU           int // the lowest of the tunnels
	MSS           int

	BGP       bool // each tunnel has a session
	PeerASN   string
	Announce  []Net
	Announced bool // there is something to announce
	Accept    []Net
	AcceptAny bool // all but a default route

	conn vpn.Connection // what it is a view of, with its mode settled
}

// Group is the tunnels that share a device's objects: each has its own where
// it has an interface; where a list of subnets selects the traffic, one.
type Group struct {
	Name    string
	First   Tunnel
	Tunnels []Tunnel

	CloudIdentities []string // each once
}

// Net is a network in the notations devices use.
type Net struct {
	Prefix   string // 10.0.0.0/8
	Address  string // 10.0.0.0
	Mask     string // 255.0.0.0
	Wildcard string // 0.255.255.255
	Number   int    // in its list, from 1
	All      bool   // 0.0.0.0/0
	Within   string // 10.0.0.0/8 le 32: it, and what is in it, for a prefix list
}

// Pair is one traffic selector.
type Pair struct {
	Number int
	Peer   Net
	Cloud  Net
}

// Tunnel is one tunnel in a device's words.
type Tunnel struct {
	Name          string // of the tunnel's own objects
	Number        int    // 1, or 2
	Active        bool   // the tunnel to prefer
	Preferred     bool   // to be named so, as there is another
	Standby       bool   // its traffic selectors are also the active tunnel's
	PeerAddress   string
	CloudAddress  string
	PeerIdentity  string // as a statement of the device
	CloudIdentity string
	PeerID        string // the bare value
	CloudID       string
	OneChild      bool // one SA for all pairs of subnets, though the device can do otherwise
	CloudNamed    bool // the cloud's identity is not its address
	Key           string
	IKEv1         bool
	IKEv2         bool
	Aggressive    bool
	IKE           SA
	ESP           SA
	Children      []Child
	PairByPair    bool // there are several
	Worded        bool // the device has words for ESP's algorithms
	PFS           bool
	DPD           bool
	NATT          bool
	MTU           int // inside the tunnel, bytes
	MSS           int
	RekeyMargin   int  // seconds before the shorter lifetime ends, for both phases
	Inside        bool // the tunnel has addresses inside, for BGP
	InsideAddress string
	InsideMask    string
	InsidePrefix  string
	Session       Session           // of BGP, if the connection has it
	OtherEnd      string            // of the answered tunnel-address
	XFRM          bool              // libreswan's own kind of interface is answered
	Set           map[string]string // the answers, by name without dashes
}

// Child is an SA's traffic selectors.
type Child struct {
	Number int
	Name   string
	Peer   []string
	Cloud  []string
}

// SA is what one phase negotiates. Times are in seconds.
type SA struct {
	Encryption string
	Integrity  string
	Group      string
	Lifetime   int // when the SA expires
	Rekey      int // when to replace it: 90 % of Lifetime
	Margin     int // Lifetime - Rekey
}
