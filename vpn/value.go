package vpn

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// Address is an end's IPv4 address. In a preview of a masked reply it is the
// word the operator has to replace.
type Address struct {
	IP   netip.Addr
	Word string // REPLACE-…; empty when IP is known
}

// Known tells whether there is an address or a word for one.
func (a Address) Known() bool { return a.Word != "" || a.IP.IsValid() }

func (a Address) String() string {
	if a.Word != "" {
		return a.Word
	}
	return a.IP.String()
}
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// Subnet is an IPv4 network, or in a preview the word for one.
type Subnet struct {
	Prefix netip.Prefix
	Word   string
}

func (s Subnet) String() string {
	if s.Word != "" {
		return s.Word
	}
	return s.Prefix.String()
}
func (s Subnet) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// In tells whether one of the networks has the address. Words stand for any.
func (a Address) In(networks []Subnet) bool {
	return slices.ContainsFunc(networks, func(n Subnet) bool {
		return a.Word != "" || n.Word != "" || n.Prefix.Contains(a.IP)
	})
}

// Lifetime is how long an SA lives. It marshals as whole seconds.
type Lifetime time.Duration

// LifetimeOf is a lifetime of so many seconds.
func LifetimeOf(seconds int) Lifetime { return Lifetime(time.Duration(seconds) * time.Second) }

// Seconds returns the lifetime in seconds, the unit of every reply and vendor.
func (l Lifetime) Seconds() int { return int(time.Duration(l) / time.Second) }
func (l Lifetime) MarshalJSON() ([]byte, error) {
	return strconv.AppendInt(nil, int64(l.Seconds()), 10), nil
}

// IDKind is an IKE identification type by its number in RFC 7296 §3.5.
type IDKind uint8

const (
	IDIPv4     IDKind = 1  // ID_IPV4_ADDR
	IDFQDN     IDKind = 2  // ID_FQDN
	IDUserFQDN IDKind = 3  // ID_RFC822_ADDR, ID_USER_FQDN in IKEv1
	IDIPv6     IDKind = 5  // ID_IPV6_ADDR
	IDKeyID    IDKind = 11 // ID_KEY_ID: bytes that mean nothing but to the two ends
)

// IDKinds lists the identification types that a reply can ask for, or an operator.
var IDKinds = []IDKind{IDIPv4, IDIPv6, IDFQDN, IDUserFQDN, IDKeyID}

func (k IDKind) String() string {
	return map[IDKind]string{IDIPv4: "ipv4", IDFQDN: "fqdn", IDUserFQDN: "user-fqdn", IDIPv6: "ipv6", IDKeyID: "key-id"}[k]
}
func (k IDKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Identity is what an end calls itself in IKE.
type Identity struct {
	Kind  IDKind `json:"kind"`
	Value string `json:"value"`
}

// Secret is a pre-shared key. It prints as [secret] whatever prints it; only
// Reveal gives it away.
type Secret struct {
	key  string
	word string
}

const masked = "[secret]"

// NewSecret wraps a key.
func NewSecret(key string) Secret { return Secret{key: key} }

// PlaceholderSecret stands for a masked key in a preview.
func PlaceholderSecret(word string) Secret { return Secret{word: word} }

// Reveal returns the key.
func (s Secret) Reveal() string { return s.key }

// Placeholder returns the word that stands for a masked key, or "".
func (s Secret) Placeholder() string { return s.word }

// IsZero tells whether there is neither a key nor a word for one.
func (s Secret) IsZero() bool { return s == Secret{} }

func (s Secret) String() string {
	if s.word != "" {
		return s.word
	}
	return masked
}

// Format prints the same for every verb: %d would look inside otherwise.
func (s Secret) Format(f fmt.State, _ rune)   { io.WriteString(f, s.String()) }
func (s Secret) LogValue() slog.Value         { return slog.StringValue(s.String()) }
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
