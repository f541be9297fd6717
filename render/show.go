package render

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"text/template"

	"peerconf/vpn"
)

// Show prints connections as understood.
type Show struct {
	to      io.Writer
	text    *template.Template // nil: JSON
	secrets bool
	count   int
}

// NewShow prepares printing to w. Keys are hidden unless secrets is set.
func NewShow(w io.Writer, asJSON, secrets bool) *Show {
	s := &Show{to: w, secrets: secrets}
	if !asJSON {
		s.text = load("show.tmpl")
	}
	return s
}

// shown is a connection with its keys as they are to be shown.
type shown struct {
	vpn.Connection
	Title      string        `json:"-"`
	RouteBased bool          `json:"-"`
	Named      bool          `json:"-"`
	Quoted     string        `json:"-"`
	Tunnels    []shownTunnel `json:"tunnels"`
}

type shownTunnel struct {
	vpn.Tunnel
	Key     string `json:"psk"`
	Named   bool   `json:"-"`
	PlainID string `json:"-"`
	IKEv1   bool   `json:"-"`
	HasBGP  bool   `json:"-"`
}

// Connection prints one connection.
func (s *Show) Connection(c vpn.Connection) error {
	view := shown{Connection: c, Title: vpn.Printable(c.Title()), RouteBased: c.RouteBased(), Named: c.Name != "", Quoted: strconv.Quote(c.Name)}
	for _, t := range c.Tunnels {
		key := t.PSK.String()
		if s.secrets && t.PSK.Placeholder() == "" {
			key = t.PSK.Reveal()
		}
		view.Tunnels = append(view.Tunnels, shownTunnel{t, key, t.ID != "", vpn.Printable(t.ID), t.IKE.Version == vpn.IKEv1, t.BGP != nil})
	}
	s.count++
	if s.text != nil {
		if s.count > 1 {
			io.WriteString(s.to, "\n")
		}
		return s.text.Execute(s.to, view)
	}
	return s.json(view)
}

func (s *Show) json(view shown) error {
	separator := "[\n  "
	if s.count > 1 {
		separator = ",\n  "
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("  ", "  ")
	if err := enc.Encode(view); err != nil {
		return err
	}
	_, err := io.WriteString(s.to, separator+string(bytes.TrimSpace(text.Bytes())))
	return err
}

// Close ends the output.
func (s *Show) Close() error {
	if s.text != nil || s.count == 0 {
		return nil
	}
	_, err := io.WriteString(s.to, "\n]\n")
	return err
}
