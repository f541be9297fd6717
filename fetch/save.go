package fetch

import (
	"bytes"
	"io"
	"slices"
)

// Fetched are replies of the live API, as the API gave them.
type Fetched struct {
	gateways [][]byte // in the order in which the connections name them
	records  []record
}

// record is one connection: {"DescribeVpnConnection": …,
// "DownloadVpnConnectionConfig": …}, each with what the API gave.
type record struct {
	id       string
	text     []byte
	gateways [][]byte
}

// File is a connection to be saved by itself.
type File struct {
	ID   string
	Text []byte // with keys: for the owner's eyes only
}

// Empty tells whether no connection came.
func (f Fetched) Empty() bool { return len(f.records) == 0 }

// JSON returns everything as one array, gateway replies first. It holds keys.
func (f Fetched) JSON() []byte {
	all := slices.Clone(f.gateways)
	for _, r := range f.records {
		all = append(all, r.text)
	}
	return array(all)
}

// Files returns one array for each connection, with the gateway replies that
// belong to it.
func (f Fetched) Files() []File {
	var files []File
	for _, r := range f.records {
		files = append(files, File{r.id, array(append(slices.Clone(r.gateways), r.text))})
	}
	return files
}

// Source is what JSON returns, to be read like a saved file.
func (f Fetched) Source() Source {
	text := f.JSON()
	return Source{"live API", func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }}
}

func recordJSON(describe, download []byte) []byte {
	return []byte(`{"DescribeVpnConnection":` + string(bytes.TrimSpace(describe)) +
		`,"DownloadVpnConnectionConfig":` + string(bytes.TrimSpace(download)) + `}`)
}

// array puts values on a line each, unchanged.
func array(values [][]byte) []byte {
	var out bytes.Buffer
	out.WriteString("[\n")
	for i, v := range values {
		if i > 0 {
			out.WriteString(",\n")
		}
		out.Write(bytes.TrimSpace(v))
	}
	out.WriteString("\n]\n")
	return out.Bytes()
}
