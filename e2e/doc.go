// Package e2e proves configurations with real daemons: what peerconf renders
// for the device's end of a connection has to bring its tunnels up with a
// gateway configured from the reply's own words, and carry traffic.
//
// The tests want root on Debian 12 and the tag e2e; make e2e installs what
// they need.
package e2e
