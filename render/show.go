package render

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"text/template"

	"peerconf/vpn"
)

// Formats are what connections are shown in.
var Formats = []string{"text", "json", "mermaid"}

// Show prints connections as understood.
type Show struct {
	to      io.Writer
	format  string
	text    *template.Template // nil: JSON
	secrets bool
	count   int
}

// NewShow prepares printing to w in one of Formats. Keys are hidden unless
// secrets is set; a Mermaid flowchart never has any.
func NewShow(w io.Writer, format string, secrets bool) *Show {
	s := &Show{to: w, format: format, secrets: secrets}
	switch format {
	case "text":
		s.text = load("show.tmpl")
	case "mermaid":
		s.text = load("mermaid.tmpl")
	}
	return s
}

// shown is a connection with its keys as they are to be shown.
type shown struct {
	vpn.Connection
	Title       string        `json:"-"`
	RouteBased  bool          `json:"-"`
	Named       bool          `json:"-"`
	Quoted      string        `json:"-"`
	Checked     bool          `json:"-"`
	KeepsRoutes bool          `json:"-"`
	Drawing     []string      `json:"-"`
	Tunnels     []shownTunnel `json:"tunnels"`
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
	s.count++
	switch s.format {
	case "json":
		return s.json(s.view(c))
	case "mermaid":
		return s.mermaid(c)
	}
	if s.count > 1 {
		io.WriteString(s.to, "\n")
	}
	view := s.view(c)
	view.Drawing = siteOf(c).drawing()
	return s.text.Execute(s.to, view)
}

// mermaid adds a connection to the flowchart.
func (s *Show) mermaid(c vpn.Connection) error {
	if s.count == 1 {
		io.WriteString(s.to, "flowchart LR\n")
	}
	title := []string{"connection " + vpn.Printable(c.Title())}
	if c.Name != "" {
		title = append(title, vpn.Printable(c.Name))
	}
	return s.text.Execute(s.to, siteOf(c).mermaid(s.count, title...))
}

func (s *Show) view(c vpn.Connection) shown {
	view := shown{Connection: c, Title: vpn.Printable(c.Title()), RouteBased: c.RouteBased(), Named: c.Name != "", Quoted: strconv.Quote(c.Name), Checked: c.HealthCheck != nil,
		KeepsRoutes: c.HealthCheck != nil && c.HealthCheck.KeepsRoutes}
	for _, t := range c.Tunnels {
		key := t.PSK.String()
		if s.secrets && t.PSK.Placeholder() == "" {
			key = t.PSK.Reveal()
		}
		view.Tunnels = append(view.Tunnels, shownTunnel{t, key, t.ID != "", vpn.Printable(t.ID), t.IKE.Version == vpn.IKEv1, t.BGP != nil})
	}
	return view
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
