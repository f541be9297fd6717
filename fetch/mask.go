package fetch

import (
	"regexp"
	"strings"

	"peerconf/vpn"
)

// Documents and consoles hide parts of addresses and keys: 116.62.XX.XX,
// 139.196.32.xxx, pgw6dy7d1i8i****, pgw6dyxxxxxxxx.
var maskedIP = regexp.MustCompile(`^(\d{1,3}|[xX*]{1,3})(\.(\d{1,3}|[xX*]{1,3})){3}(/\d+)?$`)

// masked tells whether an address, network or identity has parts hidden.
func masked(value string) bool {
	return strings.ContainsAny(value, "xX*") && maskedIP.MatchString(value) || strings.Contains(value, "****")
}

// maskedKey tells whether a key looks masked: a run of stars, a tail of x's. A
// key may really be so; --unmasked says that it is.
func maskedKey(key string) bool {
	return strings.Contains(key, "***") || strings.HasSuffix(strings.ToLower(key), "xxxx")
}

const (
	maskedReason = "the value is masked: a document or console has hidden part of it with stars or x"
	maskedHint   = "use the reply as the API gave it, or --placeholders for a preview with REPLACE- words"
)

// maskedAddress refuses a masked address, or stands a word in for it.
func (s *settler) maskedAddress(f field, word string) vpn.Address {
	if !s.Placeholders {
		s.problem(f.name, f.value, maskedReason, maskedHint)
		return vpn.Address{}
	}
	return vpn.Address{Word: s.word(word)}
}

// word is the placeholder for a value; the second tunnel's are told apart.
func (s *settler) word(name string) string {
	word := "REPLACE-" + name
	if s.dual && s.tunnel > 0 {
		word += "-" + string('0'+rune(s.tunnel))
	}
	return word
}
