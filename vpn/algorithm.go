package vpn

import "strconv"

// Version is the IKE major version.
type Version uint8

const (
	IKEv1 Version = 1 // RFC 2409
	IKEv2 Version = 2 // RFC 7296
)

func (v Version) String() string               { return "ikev" + strconv.Itoa(int(v)) }
func (v Version) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// Mode is the IKEv1 phase 1 exchange (RFC 2409 §5). IKEv2 has no modes.
type Mode uint8

const (
	Main       Mode = 2 // the exchange type numbers of ISAKMP (RFC 2408 §3.1)
	Aggressive Mode = 4
)

func (m Mode) String() string {
	if m == Aggressive {
		return "aggressive"
	}
	return "main"
}
func (m Mode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// Encryption is a cipher with its key length. The words are Alibaba's.
type Encryption uint8

const (
	AES128 Encryption = iota + 1
	AES192
	AES256
	DES
	TripleDES
	SM4
)

// Encryptions lists every cipher a reply can name.
var Encryptions = []Encryption{AES128, AES192, AES256, DES, TripleDES, SM4}

var encryptions = map[Encryption]struct {
	word      string
	transform uint16
	bits      int
	block     int
}{
	AES128:    {"aes", 12, 128, 16},
	AES192:    {"aes192", 12, 192, 16},
	AES256:    {"aes256", 12, 256, 16},
	DES:       {"des", 2, 56, 8},
	TripleDES: {"3des", 3, 168, 8},
	SM4:       {"sm4", 0, 128, 16},
}

// String is Alibaba's word; aes is AES-CBC with a 128-bit key.
func (e Encryption) String() string               { return encryptions[e].word }
func (e Encryption) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// Transform is the IKEv2 transform type 1 number (IANA ikev2-parameters-5)
// and the key length in bits. SM4 has no number there.
func (e Encryption) Transform() (id uint16, bits int) {
	return encryptions[e].transform, encryptions[e].bits
}

// Block is the size of a block and of the IV in bytes, in CBC mode (RFC 2451,
// RFC 3602).
func (e Encryption) Block() int { return encryptions[e].block }

// Integrity is a hash used as HMAC.
type Integrity uint8

const (
	MD5 Integrity = iota + 1
	SHA1
	SHA256
	SHA384
	SHA512
	SM3
)

// Integrities lists every hash a reply can name.
var Integrities = []Integrity{MD5, SHA1, SHA256, SHA384, SHA512, SM3}

var integrities = map[Integrity]struct {
	word      string
	transform uint16
	icv       int
}{
	MD5:    {"md5", 1, 12},     // AUTH_HMAC_MD5_96
	SHA1:   {"sha1", 2, 12},    // AUTH_HMAC_SHA1_96
	SHA256: {"sha256", 12, 16}, // AUTH_HMAC_SHA2_256_128
	SHA384: {"sha384", 13, 24}, // AUTH_HMAC_SHA2_384_192
	SHA512: {"sha512", 14, 32}, // AUTH_HMAC_SHA2_512_256
	SM3:    {"sm3", 0, 32},
}

func (i Integrity) String() string               { return integrities[i].word }
func (i Integrity) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// Transform is the IKEv2 transform type 3 number (IANA ikev2-parameters-7).
// SM3 has none.
func (i Integrity) Transform() uint16 { return integrities[i].transform }

// ICV is the bytes of it that ESP carries (RFC 2403, RFC 2404, RFC 4868); of
// SM3, which has no RFC, all that a hash has.
func (i Integrity) ICV() int { return integrities[i].icv }

// Group is a Diffie-Hellman group by its IANA number (ikev2-parameters-8).
type Group uint16

const (
	NoGroup     Group = 0
	MODP768     Group = 1
	MODP1024    Group = 2
	MODP1536    Group = 5
	MODP2048    Group = 14
	MODP2048256 Group = 24 // 2048 bits with a 256-bit prime order subgroup, RFC 5114
)

// Groups lists every group a reply can name.
var Groups = []Group{MODP768, MODP1024, MODP1536, MODP2048, MODP2048256}

func (g Group) String() string {
	if g == NoGroup {
		return "disabled"
	}
	return "group" + strconv.Itoa(int(g))
}
func (g Group) MarshalText() ([]byte, error) { return []byte(g.String()), nil }
