package main

import (
	"errors"

	"github.com/urfave/cli/v2"

	"peerconf/fetch"
	"peerconf/vpn"
)

// each reads the command's sources and calls f with every connection. It goes
// on behind a refusal, so that all of a run are reported together.
func each(c *cli.Context, sources []fetch.Source, said answered, f func(vpn.Connection) error) error {
	var problems, late vpn.Problems
	count := 0
	warns := func(text string) { warn(c, text) }
	for conn, err := range fetch.Read(sources, fetch.Options{
		Name: c.String("name"), Placeholders: c.Bool("placeholders"), Unmasked: c.Bool("unmasked"),
		Answers: said.addresses, Keys: said.keys,
		Own: func(conn vpn.Connection) (fetch.Own, error) { return said.file.own(conn, c.Bool("strict"), warns) },
		Warn: func(text string) {
			if c.Bool("strict") {
				late = append(late, vpn.Problem{Field: "--strict", Reason: text})
				return
			}
			warn(c, text)
		},
	}) {
		count++
		if err == nil {
			err = f(conn)
		}
		var several vpn.Problems
		var one vpn.Problem
		switch {
		case errors.As(err, &several):
			problems = append(problems, several...)
		case errors.As(err, &one):
			problems = append(problems, one)
		case err != nil:
			return errors.Join(problems.OrNil(), err)
		}
	}
	if count == 0 {
		return vpn.Problem{Reason: "the sources hold no connection", Hint: "give a reply of DownloadVpnConnectionConfig or DescribeVpnConnection(s)"}
	}
	return append(problems, late...).OrNil()
}

// sources are what the arguments name.
func sources(c *cli.Context) ([]fetch.Source, func(), error) {
	args := c.Args().Slice()
	for _, arg := range args {
		if len(arg) > 1 && arg[0] == '-' {
			return nil, nil, vpn.Problem{Field: "argument", Value: arg, Reason: "an option behind a SOURCE is not read as one",
				Hint: "put options first: peerconf " + c.Command.Name + " [options] SOURCE…"}
		}
	}
	found, cleanup, err := find(c, args)
	if err != nil {
		cleanup()
	}
	return found, cleanup, err
}

// find gives the sources that the arguments name, or the live API.
func find(c *cli.Context, args []string) ([]fetch.Source, func(), error) {
	live := len(c.StringSlice("connection")) > 0
	for _, flag := range liveFlags() {
		if name := flag.Names()[0]; len(args) > 0 && c.IsSet(name) {
			return nil, func() {}, vpn.Problem{Field: "--" + name, Reason: "the live API and a SOURCE exclude each other", Hint: "leave one of them out"}
		}
	}
	switch {
	case live:
		return []fetch.Source{liveSource(c)}, func() {}, nil
	case len(args) == 0:
		return nil, func() {}, vpn.Problem{Reason: "no SOURCE", Hint: "give a saved reply, a directory of them, or - for stdin; or --region R --connection vco-… for the live API"}
	}
	return fetch.Sources(args, c.App.Reader)
}
