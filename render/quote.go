package render

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"peerconf/vpn"
)

// keyBase64 is the form that strongSwan (swanctl/commands/load_creds.c) and
// libreswan (lib/libswan/secrets.c) decode to the same bytes whatever they
// are. A quoted key is read differently by the two, and by swanctl if it
// begins with 0x or 0s.
func keyBase64(key string, _ vpn.Version) (text, refused string) {
	return "0s" + base64.StdEncoding.EncodeToString([]byte(key)), ""
}

// keyIOS writes a key for IOS, which has no quotes: a key goes to the end of
// its line as it stands. What the command line itself acts on goes as
// hexadecimal digits, which only IKEv2 keyrings take.
func keyIOS(key string, version vpn.Version) (text, refused string) {
	switch acts := actedOn(key); {
	case acts == "":
		return "0 " + key, ""
	case version == vpn.IKEv2:
		return "hex " + hex.EncodeToString([]byte(key)), ""
	default:
		return "", acts + ", which the IOS command line may act on, and an IKEv1 key has no other form there"
	}
}

// actedOn says what of a key the command line of IOS and ASA may not take as it
// stands.
func actedOn(key string) string {
	if i := strings.IndexAny(key, `?"\`); i >= 0 {
		return "holds " + key[i:i+1]
	}
	if strings.HasPrefix(key, "!") {
		return "begins with !"
	}
	return ""
}

// keyASA writes a key for an ASA, which has no quotes and no other form. A lone
// 0 or 8 would be the type of a key that follows.
func keyASA(key string, _ vpn.Version) (text, refused string) {
	if acts := actedOn(key); acts != "" {
		return "", acts + ", which the ASA command line may act on, and a key has no other form there"
	}
	if key == "0" || key == "8" {
		return "", "is a lone digit that an ASA takes for the type of a key that follows"
	}
	return key, ""
}

// keyJunos writes a key for Junos: quoted text, or hexadecimal digits where
// quoting is in doubt. A key that begins like Junos' own obfuscated forms
// ($9$…) would be decoded as one.
func keyJunos(key string, _ vpn.Version) (text, refused string) {
	if strings.ContainsAny(key, `"\?`) || strings.HasPrefix(key, "$") {
		return "hexadecimal " + hex.EncodeToString([]byte(key)), ""
	}
	return `ascii-text "` + key + `"`, ""
}
