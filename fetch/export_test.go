package fetch

import "encoding/json"

// UnmarshalDescribe is what reading is measured against: encoding/json over
// the same wire structs, all at once.
func UnmarshalDescribe(b []byte) (int, error) {
	var reply struct {
		VpnConnections struct{ VpnConnection []wireConnection }
	}
	err := json.Unmarshal(b, &reply)
	return len(reply.VpnConnections.VpnConnection), err
}
