package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"peerconf/fetch"
	"peerconf/vpn"
)

// keyAnswers say where a connection's pre-shared key is, in a file of answers
// as on the command line.
var keyAnswers = []string{"psk-file", "psk-env"}

func keyFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "psk-file", Usage: "take the pre-shared key from `FILE` instead of the reply; 1=FILE or 2=FILE for one tunnel"},
		&cli.StringSliceFlag{Name: "psk-env", Usage: "take the pre-shared key from the environment variable `NAME`; 1=NAME or 2=NAME for one tunnel"},
	}
}

// flagKeys are the keys that the command line points to.
func flagKeys(c *cli.Context, warn func(string)) (fetch.Keys, error) {
	places := map[string]vpn.Given{}
	for _, flag := range keyAnswers {
		for _, s := range c.StringSlice(flag) {
			name := flag
			if n, rest, ok := strings.Cut(s, "="); ok && (n == "1" || n == "2") {
				name, s = flag+"."+n, rest
			}
			if _, twice := places[name]; twice {
				return nil, vpn.Problem{Field: "--" + flag, Reason: "given twice for the same tunnel", Hint: "give 1=… and 2=… for two tunnels"}
			}
			places[name] = vpn.Given{Value: s}
		}
	}
	return loadKeys(places, "", warn)
}

// loadKeys reads the keys that places point to. Files are relative to dir.
func loadKeys(places map[string]vpn.Given, dir string, warn func(string)) (fetch.Keys, error) {
	if len(places) == 0 {
		return nil, nil
	}
	keys := fetch.Keys{}
	var problems vpn.Problems
	for tunnel, suffix := range []string{"", ".1", ".2"} {
		file, inFile := places["psk-file"+suffix]
		env, inEnv := places["psk-env"+suffix]
		var key, reason string
		at, field := file, "psk-file"+suffix
		switch {
		case inFile && inEnv:
			reason = "psk-file and psk-env both give this key"
		case inFile:
			key, reason = fileKey(file.Value, dir, warn)
		case inEnv:
			at, field = env, "psk-env"+suffix
			key, reason = envKey(env.Value)
		default:
			continue
		}
		if reason == "" {
			reason = unfit(key)
		}
		if reason != "" {
			problems = append(problems, keyProblem(at, field, reason))
		}
		keys[tunnel] = vpn.NewSecret(key)
	}
	return keys, problems.OrNil()
}

func keyProblem(at vpn.Given, field, reason string) vpn.Problem {
	p := vpn.Problem{Source: at.Place, Field: field, Reason: reason, Hint: "the key is one line of 1 to 100 characters, as the cloud has it"}
	if at.Place == "" {
		name, tunnel, _ := strings.Cut(field, ".")
		p.Field = "--" + name
		p.Tunnel, _ = strconv.Atoi(tunnel)
	}
	return p
}

// maxKeyFile is more than the longest key, to tell what is too long.
const maxKeyFile = 4 << 10

// fileKey reads a key from a file, without the newline at its end. The reason
// never holds what was read.
func fileKey(path, dir string, warn func(string)) (key, reason string) {
	if path == "" {
		return "", "names no file"
	}
	if dir != "" && !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err.Error()
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err.Error()
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return "", err.Error()
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		warn("others than its owner may read the key in " + path + ": chmod 600 " + path)
	}
	key = strings.TrimSuffix(string(text), "\n")
	return strings.TrimSuffix(key, "\r"), ""
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// envKey looks a key up in the environment. A name that is none is not
// repeated: it may be the key.
func envKey(name string) (key, reason string) {
	if !variable.MatchString(name) {
		return "", "not the name of an environment variable"
	}
	key, set := os.LookupEnv(name)
	if !set {
		return "", "the environment variable is not set"
	}
	return key, ""
}

// unfit says why a text cannot be a key of Alibaba's.
func unfit(key string) string {
	switch {
	case key == "":
		return "the key is empty"
	case strings.ContainsAny(key, "\r\n"):
		return "the key has more than one line"
	case len(key) > 100:
		return "the key is longer than the 100 characters Alibaba allows"
	case strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "the key holds a blank, a control character or one beyond ASCII, which Alibaba does not allow"
	}
	return ""
}
