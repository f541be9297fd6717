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

// shape is what is to be written.
type shape struct {
	many      bool // files that one file cannot hold
	perTarget bool // a directory for each target
}

// openSink opens what -o names. What is read, files by path, is never written.
func openSink(path string, of shape, read []string, stdout io.Writer) (sink, error) {
	if path == "" || path == "-" {
		return &stdoutSink{to: stdout}, nil
	}
	if real, err := filepath.EvalSymlinks(path); err == nil && !strings.HasSuffix(path, string(filepath.Separator)) {
		path = real
	}
	info, err := os.Stat(path)
	if strings.HasSuffix(path, string(filepath.Separator)) || err == nil && info.IsDir() {
		return newDirSink(path, of.perTarget, read)
	}
	if of.many {
		return nil, refusal(path, "one file cannot hold several targets, nor a target that writes several files", "-o "+path+"/ makes it a directory")
	}
	if err := writable(path, read); err != nil {
		return nil, err
	}
	f, err := renameio.NewPendingFile(path, renameio.WithStaticPermissions(0o600))
	if err != nil {
		return nil, err
	}
	return fileSink{f, path}, nil
}

func refusal(path, reason, hint string) error {
	return vpn.Problem{Field: "-o", Value: path, Reason: reason, Hint: hint}
}

// writable refuses a path that is a source, or no regular file.
func writable(path string, read []string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return refusal(path, "it is there and not a regular file", "write to another place, or to stdout")
	}
	for _, s := range read {
		if in, err := os.Stat(s); err == nil && os.SameFile(in, info) {
			return refusal(path, "it is also a SOURCE, or another file that is read", "write to another place")
		}
	}
	return nil
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
type fileSink struct {
	*renameio.PendingFile
	path string
}

func (s fileSink) write(files []render.Output) error {
	if len(files) > 1 {
		return refusal(s.path, "this connection becomes several files, which one cannot hold", "-o "+s.path+"/ makes it a directory")
	}
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
	read       []string
	names      []string
}

func newDirSink(dir string, perTarget bool, read []string) (sink, error) {
	s := &dirSink{dir: dir, perTarget: perTarget, read: read}
	err := os.Mkdir(dir, 0o700)
	s.made = err == nil
	if err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
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
	err := s.move(keep)
	os.RemoveAll(s.stage)
	if s.made && (!keep || err != nil) {
		os.Remove(s.dir) // when it is empty
	}
	return err
}

// move puts the files into place, once every place is known to take one.
func (s *dirSink) move(keep bool) error {
	if !keep {
		return nil
	}
	for _, name := range s.names {
		to := filepath.Join(s.dir, name)
		if info, err := os.Stat(filepath.Dir(to)); err == nil && !info.IsDir() {
			return refusal(filepath.Dir(to), "it is there and not a directory", "write to another place")
		}
		if err := writable(to, s.read); err != nil {
			return err
		}
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
