package fetch

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"peerconf/vpn"
)

// Source is a place that holds replies. It is read twice: for gateways, then
// for connections.
type Source struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// Stdin is the name of the source that - stands for.
const Stdin = "stdin"

// Sources turns the arguments of a command into sources: files, directories
// (every file below them but hidden ones, in lexical order), and - for stdin.
// The cleanup function must be called when reading is done.
func Sources(args []string, stdin io.Reader) (sources []Source, cleanup func(), err error) {
	cleanup = func() {}
	for _, arg := range args {
		if arg == "-" {
			if slices.ContainsFunc(sources, func(s Source) bool { return s.Name == Stdin }) {
				return nil, cleanup, vpn.Problem{Field: "SOURCE", Value: arg, Reason: "stdin is named twice", Hint: "name it once"}
			}
			spool, remove, err := spooled(stdin)
			if err != nil {
				return nil, cleanup, err
			}
			cleanup = remove
			sources = append(sources, spool)
			continue
		}
		found, err := files(arg)
		if err != nil {
			return nil, cleanup, err
		}
		sources = append(sources, found...)
	}
	return sources, cleanup, nil
}

func files(root string) ([]Source, error) {
	var found []Source
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != root && strings.HasPrefix(d.Name(), ".") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.IsDir() {
			found = append(found, Source{path, func() (io.ReadCloser, error) { return os.Open(path) }})
		}
		return nil
	})
	if err == nil && len(found) == 0 {
		err = vpn.Problem{Source: root, Reason: "the directory holds no file", Hint: knownReplies}
	}
	return found, err
}

// spooled keeps stdin in a file without a name, to be read twice without
// holding it in memory.
func spooled(stdin io.Reader) (Source, func(), error) {
	f, err := os.CreateTemp("", "peerconf-*")
	if err != nil {
		return Source{}, func() {}, err
	}
	os.Remove(f.Name()) // where an open file cannot be removed, remove does it
	remove := func() { f.Close(); os.Remove(f.Name()) }
	if _, err := io.Copy(f, stdin); err != nil {
		remove()
		return Source{}, func() {}, err
	}
	open := func() (io.ReadCloser, error) {
		_, err := f.Seek(0, io.SeekStart)
		return io.NopCloser(f), err
	}
	return Source{Stdin, open}, remove, nil
}
