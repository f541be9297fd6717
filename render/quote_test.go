package render

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"peerconf/vpn"
)

// readBack are readers of a written key by each vendor's rules: what the
// device would take for the key's bytes. They share nothing with the writers.
var readBack = map[string]func(text string) (string, error){
	"strongswan":       readBase64,
	"strongswan-ipsec": readBase64,
	"libreswan":        readBase64,
	"cisco-ios":        readIOS,
	"cisco-asa":        readASA,
	"juniper-srx":      readJunos,
}

// readBase64 reads the unquoted 0s form: the value ends at a blank, and # or
// a brace or a quote would be syntax.
func readBase64(text string) (string, error) {
	if !strings.HasPrefix(text, "0s") || strings.ContainsAny(text, " \t\r\n#{}\"'\\") {
		return "", fmt.Errorf("not the 0s form: %q", text)
	}
	b, err := base64.StdEncoding.DecodeString(text[2:])
	return string(b), err
}

// readIOS reads what follows key or pre-shared-key: a form word and a token
// that ends at a blank; ? and a leading ! act before the command is read.
func readIOS(text string) (string, error) {
	form, token, ok := strings.Cut(text, " ")
	if !ok || strings.ContainsAny(token, "? \t\r\n\"\\") || strings.HasPrefix(token, "!") {
		return "", fmt.Errorf("the command line acts on %q", text)
	}
	switch form {
	case "0":
		return token, nil
	case "hex":
		b, err := hex.DecodeString(token)
		return string(b), err
	}
	return "", fmt.Errorf("no such form: %q", text)
}

// readASA reads what follows pre-shared-key: one token, which may have the type
// of a key before it.
func readASA(text string) (string, error) {
	if strings.ContainsAny(text, "? \t\r\n\"\\") || strings.HasPrefix(text, "!") || text == "0" || text == "8" {
		return "", fmt.Errorf("the command line acts on %q", text)
	}
	return text, nil
}

// readJunos reads what follows pre-shared-key.
func readJunos(text string) (string, error) {
	form, token, _ := strings.Cut(text, " ")
	switch form {
	case "hexadecimal":
		b, err := hex.DecodeString(token)
		return string(b), err
	case "ascii-text":
		inner := strings.TrimSuffix(strings.TrimPrefix(token, `"`), `"`)
		if len(inner) != len(token)-2 || strings.ContainsAny(inner, "\"\\?\n") || strings.HasPrefix(inner, "$") {
			return "", fmt.Errorf("not one plain quoted string: %q", token)
		}
		return inner, nil
	}
	return "", fmt.Errorf("no such form: %q", text)
}

// hostile are keys that some vendor would read as something else.
var hostile = []string{
	"plain", "a#b", "a{b}c", `a"b`, "a'b", `a"b'c`, `a\b`, `ends\`, "0xdead", "0Xdead", "0sYWJj", "0tabc", "0", "6", "local", "remote", "hex",
	"!bang", "a!b", "a?b", "?", "$9$abc", "$8$x", "a;b", "$(id)", "`id`", "${x}", "a|b", "<a>&", "%any", "@", "://", "~!`@#$%^&*()_-+={}[]|;:\",.<>/?'\\",
}

func FuzzKey(f *testing.F) {
	for _, key := range hostile {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if key == "" || len(key) > 100 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return // fetch refuses it
		}
		for _, d := range dialects {
			for _, version := range []vpn.Version{vpn.IKEv1, vpn.IKEv2} {
				text, refused := d.Key(key, version)
				if refused != "" {
					if d.Name != "cisco-asa" && (d.Name != "cisco-ios" || version != vpn.IKEv1) || strings.Contains(refused, key) && len(key) > 8 {
						t.Errorf("%s, %s: refuses %q: %s", d.Name, version, key, refused)
					}
					continue
				}
				back, err := readBack[d.Name](text)
				if err != nil || back != key {
					t.Errorf("%s, %s: %q is written %q and read %q (%v)", d.Name, version, key, text, back, err)
				}
			}
		}
	})
}

// FuzzBGPKey holds BGP keys to what each device reads back, or to a refusal
// without the key.
func FuzzBGPKey(f *testing.F) {
	for _, key := range append(hostile, "a-key-of-more-than-25-chars", "9key", strings.Repeat("k", 64)) {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if key == "" || len(key) > 64 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' || r == '?' }) {
			return // fetch refuses it
		}
		for _, d := range dialects {
			text, refused := d.BGPKey(key)
			var back string
			var err error
			switch {
			case refused != "":
				if !hasStatements(d) || strings.Contains(refused, key) && len(key) > 8 {
					t.Errorf("%s: refuses %q: %s", d.Name, key, refused)
				}
				continue
			case d.Name == "juniper-srx":
				back, err = readJunos("ascii-text " + text)
			case hasStatements(d): // as a key of an ASA, at most 25 characters, the first no digit
				if back, err = readASA(text); len(text) > 25 || strings.ContainsAny(text[:1], "0123456789") {
					t.Errorf("%s: takes %q", d.Name, key)
				}
			default: // FRR: the rest of the line
				back = text
			}
			if err != nil || back != key {
				t.Errorf("%s: %q is written %q and read %q (%v)", d.Name, key, text, back, err)
			}
		}
	})
}

// TestReadBack proves that the readers can fail.
func TestReadBack(t *testing.T) {
	for target, texts := range map[string][]string{
		"strongswan":       {`"abc"`, "0sYW#j", "0xdead", "plain"},
		"strongswan-ipsec": {`"abc"`, "0sYW#j", "0sYW Jj", "plain"},
		"libreswan":        {`"abc"`, "0sYW Jj"},
		"cisco-ios":        {"abc", "0 a?b", "0 !x", `0 a"b`, "6 abc", "0 a b", "hex zz"},
		"cisco-asa":        {"a?b", "0", "8", "0 abc", "!x", `a"b`, `a\b`},
		"juniper-srx":      {`ascii-text "a"b"`, `ascii-text "$9$x"`, "ascii-text abc", "hexadecimal 0xab"},
	} {
		for _, text := range texts {
			if key, err := readBack[target](text); err == nil {
				t.Errorf("%s: %q passes as %q", target, text, key)
			}
		}
	}
}

func FuzzName(f *testing.F) {
	for _, s := range append(hostile, "vco-bp10lz7aejumd2vxoqgev", "vpn连接测试", "a b", "a-b", "1", "", "a.b") {
		f.Add(s, "a-b")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		name := sanitized(a)
		for i, r := range name {
			if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || i > 0 && (r >= '0' && r <= '9' || r == '-' || r == '_')) {
				t.Fatalf("%q becomes %q", a, name)
			}
		}
		if name == "" || a != b && name == sanitized(b) && checksum(a) != checksum(b) {
			t.Errorf("%q and %q become %q", a, b, name)
		}
	})
}

// FuzzLabel holds free text in a comment to its line and, for routers, to
// ASCII.
func FuzzLabel(f *testing.F) {
	for _, s := range append(hostile, "vpn连接测试", "a\nconn b", "a\r!", "\u2028x", "\u202e", "\x1b[2J", "\xff") {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, id, name string) {
		for _, d := range dialects {
			n := normalizer{target: Target{Dialect: d}, conn: vpn.Connection{ID: id, Name: name}}
			label := n.label()
			for _, r := range label {
				if r < ' ' || r == 0x7f || r == 0x2028 || r == 0x202e || d.ASCII && r > '~' {
					t.Fatalf("%s: %q becomes %q", d.Name, name, label)
				}
			}
		}
	})
}

// FuzzAnswer holds answers to forms that cannot leave their place.
func FuzzAnswer(f *testing.F) {
	for _, s := range append(hostile, "GigabitEthernet0/0/1.100", "ge-0/0/0.0", "10", "4294967296", "%any", "10.0.0.1", "a\nb") {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, d := range dialects {
			for _, a := range d.Answers {
				if checkAnswers([]Target{{Dialect: d}}, map[string]vpn.Given{a.Name: {Value: value}}) == nil && strings.ContainsAny(value, " \t\r\n\"'#!;{}\\?$`|") {
					t.Errorf("%s: %s takes %q", d.Name, a.Name, value)
				}
			}
		}
	})
}
