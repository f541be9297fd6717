package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"peerconf/render"
	"peerconf/vpn"
)

// sink takes rendered files. Nothing of them is seen until close(true).
type sink interface {
	write([]render.Output) error
	close(keep bool) error
}

func newSink(path string, r *render.Renderer, sources []string, stdout io.Writer) (sink, error) {
	if path == "" || path == "-" {
		return &stdoutSink{to: stdout}, nil
	}
	info, err := os.Stat(path)
	isDir := strings.HasSuffix(path, string(filepath.Separator)) || err == nil && info.IsDir()
	for _, s := range sources {
		if in, err := os.Stat(s); err == nil && info != nil && os.SameFile(in, info) {
			return nil, vpn.Problem{Field: "-o", Value: path, Reason: "it is also a SOURCE", Hint: "write to another place"}
		}
	}
	if isDir {
		return newDirSink(path, r.Several())
	}
	if r.Several() || r.FilesPerConnection() > 1 {
		return nil, vpn.Problem{Field: "-o", Value: path, Reason: "one file cannot hold several targets, nor a target that writes several files", Hint: "-o " + path + "/ makes it a directory"}
	}
	f, err := renameio.NewPendingFile(path, renameio.WithStaticPermissions(0o600))
	if err != nil {
		return nil, err
	}
	return fileSink{f}, nil
}

// stdoutSink holds the text back until nothing is refused.
type stdoutSink struct {
	text bytes.Buffer
	to   io.Writer
}

func (s *stdoutSink) write(files []render.Output) error {
	for _, f := range files {
		if s.text.Len() > 0 {
			s.text.WriteByte('\n')
		}
		s.text.Write(f.Text)
	}
	return nil
}

func (s *stdoutSink) close(keep bool) error {
	if !keep {
		return nil
	}
	_, err := s.text.WriteTo(s.to)
	return err
}

// fileSink replaces one file at the end.
type fileSink struct{ *renameio.PendingFile }

func (s fileSink) write(files []render.Output) error {
	for _, f := range files {
		if _, err := s.Write(f.Text); err != nil {
			return err
		}
	}
	return nil
}

func (s fileSink) close(keep bool) error {
	if !keep {
		return s.Cleanup()
	}
	return s.CloseAtomicallyReplace()
}

// dirSink collects files in a directory of its own inside the one asked for,
// and moves each into place at the end.
type dirSink struct {
	dir, stage string
	made       bool // dir was not there before
	perTarget  bool // a directory for each target
	names      []string
}

func newDirSink(dir string, perTarget bool) (sink, error) {
	s := &dirSink{dir: dir, perTarget: perTarget}
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		s.made = true
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	s.stage, err = os.MkdirTemp(dir, ".peerconf-*")
	return s, err
}

func (s *dirSink) write(files []render.Output) error {
	for _, f := range files {
		name := f.Name
		if s.perTarget {
			name = filepath.Join(f.Target, name)
			if err := os.MkdirAll(filepath.Join(s.stage, f.Target), 0o700); err != nil {
				return err
			}
		}
		if err := writeSynced(filepath.Join(s.stage, name), f.Text); err != nil {
			return err
		}
		s.names = append(s.names, name)
	}
	return nil
}

func writeSynced(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Sync(), f.Close())
}

func (s *dirSink) close(keep bool) error {
	defer func() {
		os.RemoveAll(s.stage)
		if s.made && !keep {
			os.Remove(s.dir)
		}
	}()
	if !keep {
		return nil
	}
	for _, name := range s.names {
		to := filepath.Join(s.dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(s.stage, name), to); err != nil {
			return err
		}
	}
	return nil
}
