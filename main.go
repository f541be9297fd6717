// Command peerconf writes the customer-side configuration of an Alibaba Cloud
// IPsec-VPN connection.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/urfave/cli/v2"

	"peerconf/fetch"
	"peerconf/render"
	"peerconf/vpn"
)

// Exit codes, as diff(1) has them; 1 is kept for a difference. A signal's
// number is added to exitSignal, as shells do.
const (
	exitDone    = 0
	exitTrouble = 2
	exitSignal  = 128
)

func main() { os.Exit(run(os.Args, os.Stdin, os.Stdout, os.Stderr)) }

func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if err := app(stdin, stdout, stderr).Run(args); err != nil {
		report(stderr, err)
		return exitTrouble
	}
	return exitDone
}

const examples = `Examples:
   peerconf render --target strongswan reply.json
   peerconf render --target cisco-ios --set outside-interface=GigabitEthernet1 reply.json gateways.json
   aliyun vpc DescribeVpnConnections --RegionId cn-hangzhou | peerconf render --target juniper-srx -o out/ -
   peerconf render --target libreswan --region cn-hangzhou --connection vco-bp10lz7aejumd2vxoqgev
   peerconf render --target cisco-ios --answers answers.yaml --strict -o out/ saved.json
   peerconf fetch --region cn-hangzhou --all -o saved.json
   peerconf show reply.xml
   peerconf show --format mermaid saved.json
   peerconf targets libreswan`

func app(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	a := cli.NewApp()
	a.Name, a.Usage = "peerconf", "write the customer-side configuration of an Alibaba Cloud IPsec-VPN connection"
	a.UsageText = "peerconf COMMAND [options] [SOURCE…]\n\nSOURCE is a file or a directory with saved API replies, JSON or XML, or - for stdin.\nWithout one, --region and --connection ask the live API.\n\n" + examples
	a.Version = version()
	a.Reader, a.Writer, a.ErrWriter = stdin, stdout, stderr
	a.HideHelpCommand = true
	a.EnableBashCompletion = true
	a.DisableSliceFlagSeparator = true
	a.ExitErrHandler = func(*cli.Context, error) {}
	a.OnUsageError = usageError
	a.Action = func(c *cli.Context) error {
		if c.Args().Present() {
			return vpn.Problem{Field: "command", Value: c.Args().First(), Reason: "no such command", Hint: "peerconf --help"}
		}
		return cli.ShowAppHelp(c)
	}
	a.Commands = []*cli.Command{renderCommand(), showCommand(), fetchCommand(), targetsCommand()}
	return a
}

func usageError(_ *cli.Context, err error, _ bool) error {
	return vpn.Problem{Reason: err.Error(), Hint: "peerconf --help, or peerconf COMMAND --help"}
}

// replyFlags are what every command takes that reads replies.
func replyFlags(more ...cli.Flag) []cli.Flag {
	return append(append(append(more, liveFlags()...), keyFlags()...),
		&cli.StringFlag{Name: "name", Usage: "call the connection `NAME`; its id or cloud address otherwise"},
		&cli.StringFlag{Name: "answers", Usage: "take answers from the YAML `FILE`: defaults, and each connection's own; --set goes before it"},
		&cli.StringSliceFlag{Name: "set", Usage: "answer what no reply knows, `NAME=VALUE`; NAME.1 and NAME.2 for one tunnel; see peerconf targets"},
		&cli.BoolFlag{Name: "placeholders", Usage: "stand REPLACE- words in for masked values, for a preview"},
		&cli.BoolFlag{Name: "unmasked", Usage: "take keys with *** or xxxx in them as they are"},
	)
}

func renderCommand() *cli.Command {
	return &cli.Command{
		Name: "render", Usage: "write the device's configuration", ArgsUsage: "SOURCE…",
		Flags: replyFlags(
			&cli.StringSliceFlag{Name: "target", Aliases: []string{"t"}, Required: true, Usage: "write for `TARGET`, or TARGET@VERSION: " + strings.Join(render.Names(), ", ")},
			&cli.StringFlag{Name: "mode", Usage: "give tunnels their traffic by `MODE`: auto, route or policy; the same as --set mode=MODE"},
			&cli.BoolFlag{Name: "hierarchical", Usage: "juniper-srx: write the configuration as text in braces, for load merge, not as set commands"},
			&cli.BoolFlag{Name: "remove", Usage: "write what takes the configuration off the device again; it holds no key"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`, or to DIR/ one set of files a connection (0600); stdout otherwise"},
			&cli.IntFlag{Name: "tunnel", Usage: "of connections with two tunnels write `TUNNEL` 1 or 2 alone, for the device that has it"},
			&cli.BoolFlag{Name: "strict", Usage: "refuse what has no answer, and what a warning would be written for"},
		),
		OnUsageError: usageError,
		Action:       renderAction,
	}
}

func renderAction(c *cli.Context) (err error) {
	if c.Bool("strict") && c.Bool("placeholders") {
		return vpn.Problem{Field: "--strict", Reason: "it refuses the REPLACE- words that --placeholders writes", Hint: "leave one of them out"}
	}
	if n := c.Int("tunnel"); c.IsSet("tunnel") && n != 1 && n != 2 {
		return vpn.Problem{Field: "--tunnel", Value: strconv.Itoa(n), Reason: "no such tunnel", Hint: "--tunnel 1 or --tunnel 2, or leave it out for both"}
	}
	said, err := said(c)
	if err != nil {
		return err
	}
	if err := setMode(c, said.device); err != nil {
		return err
	}
	options := render.Options{Set: said.device, Defaults: said.file.defaults, Own: said.file.device, Strict: c.Bool("strict"), Remove: c.Bool("remove"), Tunnel: c.Int("tunnel"), Hierarchical: c.Bool("hierarchical")}
	if regions := c.StringSlice("region"); len(regions) == 1 {
		options.Region = regions[0]
	}
	renderer, err := render.New(c.StringSlice("target"), options)
	if err != nil {
		return err
	}
	sources, cleanup, err := sources(c)
	if err != nil {
		return err
	}
	defer cleanup()
	out, err := openSink(c.String("output"), shape{many: renderer.FilesPerConnection() > 1, perTarget: renderer.Several()}, append(names(sources), said.read...), c.App.Writer)
	if err != nil {
		return err
	}
	defer guarded(out)()
	defer func() { err = errors.Join(err, out.close(err == nil)) }()
	return each(c, sources, said, func(conn vpn.Connection) error {
		files, warnings, err := renderer.Render(conn)
		for _, w := range warnings {
			warn(c, w)
		}
		if err != nil {
			return err
		}
		return out.write(files)
	})
}

// setMode takes --mode as the answer that it is.
func setMode(c *cli.Context, device map[string]vpn.Given) error {
	const name = "mode"
	if !c.IsSet(name) {
		return nil
	}
	if _, twice := device[name]; twice {
		return vpn.Problem{Field: "--mode", Value: c.String(name), Reason: "--set mode= answers it too", Hint: "leave one of them out"}
	}
	device[name] = vpn.Given{Value: c.String(name)}
	return nil
}

// warning keeps lines whole: connections are read ahead of their rendering.
var warning sync.Mutex

func warn(c *cli.Context, text string) {
	warning.Lock()
	defer warning.Unlock()
	fmt.Fprintln(c.App.ErrWriter, "peerconf: warning:", vpn.Printable(text))
}

func names(sources []fetch.Source) (out []string) {
	for _, s := range sources {
		out = append(out, s.Name)
	}
	return out
}

func targetsCommand() *cli.Command {
	return &cli.Command{
		Name: "targets", Usage: "list the targets, or the words, limits and answers of one", ArgsUsage: "[TARGET]",
		OnUsageError: usageError,
		Action: func(c *cli.Context) error {
			if c.Args().Len() > 1 {
				return vpn.Problem{Field: "argument", Value: c.Args().Get(1), Reason: "one TARGET at a time", Hint: "peerconf targets TARGET"}
			}
			if !c.Args().Present() {
				return render.Targets(c.App.Writer)
			}
			t, err := render.ParseTarget(c.Args().First())
			if err != nil {
				return err
			}
			return t.Describe(c.App.Writer)
		},
	}
}

// answered is what the operator says beside the replies.
type answered struct {
	device    map[string]vpn.Given // by --set
	addresses map[string]string    // by --set
	file      answersFile
	keys      fetch.Keys // by --psk-file and --psk-env
	read      []string   // files, not to be written over
}

func said(c *cli.Context) (a answered, err error) {
	if a.device, a.addresses, err = parseSet(c.StringSlice("set")); err != nil {
		return a, err
	}
	if a.file, err = readAnswers(c.String("answers")); err != nil {
		return a, err
	}
	a.read = []string{c.String("answers")}
	for _, s := range c.StringSlice("psk-file") {
		a.read = append(a.read, strings.TrimPrefix(strings.TrimPrefix(s, "1="), "2="))
	}
	a.keys, err = flagKeys(c, func(text string) { warn(c, text) })
	return a, err
}

// parseSet splits the answers: the ends' addresses are facts about the
// connection, the rest is the device's.
func parseSet(set []string) (device map[string]vpn.Given, addresses map[string]string, err error) {
	device, addresses = map[string]vpn.Given{}, map[string]string{}
	for _, s := range set {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" || value == "" {
			return nil, nil, vpn.Problem{Field: "--set", Value: s, Reason: "not NAME=VALUE", Hint: "write it as in --set outside-interface=GigabitEthernet1"}
		}
		base, tunnel, numbered := strings.Cut(name, ".")
		if numbered && tunnel != "1" && tunnel != "2" {
			return nil, nil, vpn.Problem{Field: "--set", Value: name, Reason: "no such tunnel", Hint: "NAME.1 and NAME.2 are for one tunnel, NAME for both"}
		}
		_, twice := device[name]
		if _, again := addresses[name]; twice || again {
			return nil, nil, vpn.Problem{Field: "--set", Value: name, Reason: "answered twice", Hint: "answer it once"}
		}
		if slices.Contains(fetch.Answers, base) {
			addresses[name] = value
		} else {
			device[name] = vpn.Given{Value: value}
		}
	}
	return device, addresses, nil
}

// report prints errors with the hints that follow them, each hint once.
func report(w io.Writer, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			report(w, err)
		}
		return
	}
	var several vpn.Problems
	var one vpn.Problem
	switch {
	case errors.As(err, &several):
	case errors.As(err, &one):
		several = vpn.Problems{one}
	default:
		fmt.Fprintln(w, "peerconf: error:", err)
		return
	}
	hints := map[string]bool{}
	for i, p := range several {
		fmt.Fprintln(w, "peerconf: error:", p.Error())
		last := i == len(several)-1 || several[i+1].Hint != p.Hint
		for _, hint := range strings.Split(p.Hint, "\n") {
			if hint != "" && last && !hints[hint] {
				fmt.Fprintln(w, "peerconf: hint:", vpn.Printable(hint))
				hints[hint] = true
			}
		}
	}
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(unknown)"
	}
	return info.Main.Version
}
