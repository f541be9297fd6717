package main

import (
	"bytes"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"peerconf/fetch"
	"peerconf/render"
	"peerconf/vpn"
)

func showCommand() *cli.Command {
	return &cli.Command{
		Name: "show", Usage: "draw the connection as understood, and list its settings, both sides labelled", ArgsUsage: "SOURCE…",
		Flags: replyFlags(
			&cli.StringFlag{Name: "format", Value: render.Formats[0], Usage: "print `FORMAT`: " + strings.Join(render.Formats, ", ") + "; mermaid is a flowchart for documents"},
			&cli.BoolFlag{Name: "json", Usage: "the same as --format json"},
			&cli.BoolFlag{Name: "show-secrets", Usage: "print the pre-shared keys"},
		),
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			said, err := said(c)
			for name := range said.device {
				err = vpn.Problem{Field: "--set", Value: name, Reason: "a device's answer; show knows no device", Hint: "want one of " + strings.Join(fetch.Answers, ", ")}
			}
			if err == nil {
				err = known(said.file.defaults).OrNil()
			}
			format, refused := showFormat(c)
			if err == nil {
				err = refused
			}
			if err != nil {
				return err
			}
			sources, cleanup, err := sources(c)
			if err != nil {
				return err
			}
			defer cleanup()
			var text bytes.Buffer
			show := render.NewShow(&text, format, c.Bool("show-secrets"))
			if err := each(c, sources, said, show.Connection); err != nil {
				return err
			}
			if err := show.Close(); err != nil {
				return err
			}
			_, err = text.WriteTo(c.App.Writer)
			return err
		},
	}
}

func showFormat(c *cli.Context) (string, error) {
	format := c.String("format")
	switch {
	case !slices.Contains(render.Formats, format):
		return "", vpn.Problem{Field: "--format", Value: format, Reason: "no such format", Hint: "want one of " + strings.Join(render.Formats, ", ")}
	case c.Bool("json") && c.IsSet("format") && format != "json":
		return "", vpn.Problem{Field: "--json", Reason: "--format asks for " + format, Hint: "leave one of them out"}
	case c.Bool("json"):
		return "json", nil
	}
	return format, nil
}
