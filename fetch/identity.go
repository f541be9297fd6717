package fetch

import (
	"fmt"
	"net/netip"
	"strings"

	"peerconf/vpn"
)

// identity settles how an end calls itself; absent, it is the end's address.
func (s *settler) identity(f field, own vpn.Address, word, answer string) vpn.Identity {
	if f.value == "" {
		return vpn.Identity{Kind: vpn.IDIPv4, Value: own.String()}
	}
	if masked(f.value) {
		if !s.Placeholders {
			s.problem(f.name, f.value, maskedReason, maskedHint)
			return vpn.Identity{}
		}
		kind := vpn.IDFQDN
		if maskedIP.MatchString(f.value) {
			kind = vpn.IDIPv4
		}
		return vpn.Identity{Kind: kind, Value: s.word(word)}
	}
	kind, reason := identityKind(f.value)
	switch said := s.answer(answer); {
	case said.value == vpn.IDKeyID.String():
		kind, reason = keyID(f.value)
	case said.value != "":
		s.problem(said.name, said.value, "no type that an identity can be given", "want "+vpn.IDKeyID.String())
	}
	if reason != "" {
		s.problem(f.name, f.value, reason, "use an address or a domain name as identity in the connection's IKE settings; or, where the cloud's end is known to have it as ID_KEY_ID, --set "+answer+"="+vpn.IDKeyID.String())
	}
	return vpn.Identity{Kind: kind, Value: f.value}
}

// identityKind says which IKE identification type Alibaba makes of a value.
// Its documents know IP addresses and FQDN; words without a dot go out as FQDN
// too. Forms that would be another type by RFC 7296 §3.5 are not guessed.
func identityKind(value string) (kind vpn.IDKind, reason string) {
	if ip, err := netip.ParseAddr(value); err == nil {
		switch {
		case ip.Is4():
			return vpn.IDIPv4, ""
		case ip.Zone() != "" || ip.Is4In6():
			return 0, "an address with a zone, or an IPv4 address in IPv6's form"
		}
		return vpn.IDIPv6, ""
	}
	if len(value) > maxIdentity {
		return 0, identityLong
	}
	for _, r := range value {
		if !strings.ContainsRune(identityRunes, r) {
			return 0, fmt.Sprintf("holds %q: Alibaba documents addresses and domain names only, and not which type this would be sent as", r)
		}
	}
	user, host, isUser := strings.Cut(value, "@")
	switch {
	case !isUser:
		return vpn.IDFQDN, ""
	case user == "" || host == "" || strings.Contains(host, "@"):
		return 0, "a stray @: neither a domain name nor user@domain"
	}
	return vpn.IDUserFQDN, ""
}

// keyID checks an identity that the operator says to be ID_KEY_ID: any text that
// every device's words can hold as it stands.
func keyID(value string) (kind vpn.IDKind, reason string) {
	if len(value) > maxIdentity {
		return 0, identityLong
	}
	for _, r := range value {
		if !strings.ContainsRune(identityRunes+"/+~", r) {
			return 0, fmt.Sprintf("holds %q, which not every device takes in a key-id", r)
		}
	}
	return vpn.IDKeyID, ""
}

const (
	maxIdentity  = 100
	identityLong = "longer than the 100 characters Alibaba allows"
)

const identityRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@"
