// Package router reads the configuration of a router back into the IKE and
// IPsec parameters the device would negotiate with, so that a daemon can stand
// in for the device in a test. It is written from the vendors' documentation
// and shares nothing with the program that writes such configurations: what it
// does not know is an error, and so is whatever leaves a tunnel without a
// parameter.
package router

import (
	"fmt"
	"net/netip"
)

// A Tunnel is one peer of the device and what is negotiated with it.
type Tunnel struct {
	Name       string // of letters, digits and hyphens
	IKE        int    // version 1 or 2
	Aggressive bool
	// LocalAddress is "" if the text names an interface without its address.
	LocalAddress, RemoteAddress string
	// LocalID is what the device sends, in strongSwan's words; "" is the
	// address it sends from, which the text does not say.
	LocalID   string
	RemoteIDs []string // what it accepts; an address with a mask is a prefix
	PSK       []byte   // after the device's own unquoting
	// The proposals are in strongSwan's words, several joined by commas in the
	// device's order; an ESP proposal has a group when PFS is on.
	IKEProposal, ESPProposal string
	IKELifetime, ESPLifetime int // seconds offered
	ESPKilobytes             int // offered; 0 is none
	Selectors                []Selector
	OneChild                 bool // all selectors in one CHILD_SA, not one each
	RouteBased               bool
	DPD                      bool
	Initiates                bool // without traffic
	NATT                     bool
}

// A Selector is a pair of networks the device proposes.
type Selector struct{ Local, Remote netip.Prefix }

var dialects = map[string]func(string) ([]Tunnel, error){
	"cisco-ios":   readIOS,
	"cisco-asa":   readASA,
	"juniper-srx": readSRX,
}

// Read reads the text of a dialect into the tunnels the device would
// negotiate. An error names the line or the object at fault, never a key.
func Read(dialect, text string) ([]Tunnel, error) {
	read, ok := dialects[dialect]
	if !ok {
		return nil, fmt.Errorf("no reader for dialect %q", dialect)
	}
	tunnels, err := read(text)
	switch {
	case err != nil:
		return nil, err
	case len(tunnels) == 0:
		return nil, fmt.Errorf("no tunnel")
	}
	return tunnels, nil
}
