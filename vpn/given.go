package vpn

// Given is an operator's own answer.
type Given struct {
	Value string
	Place string // the file and line it stands in, FILE:LINE
}
