package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"peerconf/fetch"
	"peerconf/render"
	"peerconf/vpn"
)

const (
	// defaultRate is far below what the API bears (its limit is documented
	// nowhere; comparable ones allow 100 a second), since the whole account
	// shares that. 500 connections take half a minute.
	defaultRate        = 20
	defaultConcurrency = 8
)

// liveFlags are what every command takes that can ask the live API.
func liveFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "region", Usage: "ask the live API in region `R`; ALIBABA_CLOUD_REGION_ID or the profile's otherwise"},
		&cli.StringSliceFlag{Name: "connection", Usage: "fetch the connection `ID`, vco-…; repeatable"},
		&cli.StringFlag{Name: "profile", Usage: "take credentials from `PROFILE` of ~/.aliyun/config.json"},
		&cli.StringFlag{Name: "endpoint", Usage: "ask `URL` instead of the region's endpoint"},
	}
}

func fetchCommand() *cli.Command {
	return &cli.Command{
		Name: "fetch", Usage: "save connections from the live API, to be rendered offline", ArgsUsage: " ",
		Description: "Saved files hold pre-shared keys, and only their owner may read them (0600).\n\n" +
			"Credentials come from the first of these that has any: " + fetch.CredentialsOrder + ".",
		Flags: append(liveFlags(),
			&cli.StringFlag{Name: "gateway", Usage: "fetch the connections of the VPN gateway `ID`, vpn-…"},
			&cli.StringFlag{Name: "customer-gateway", Usage: "fetch the connections of the customer gateway `ID`, cgw-…"},
			&cli.StringSliceFlag{Name: "tag", Usage: "fetch the connections tagged `KEY=VALUE`; repeatable"},
			&cli.BoolFlag{Name: "all", Usage: "fetch every connection"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Required: true, Usage: "save to `FILE`, or to DIR/ one file a connection (0600), or to - for a pipe"},
			&cli.BoolFlag{Name: "keep-going", Usage: "save what could be fetched when something could not; the exit code is 2 all the same"},
			&cli.Float64Flag{Name: "rate", Value: defaultRate, Usage: "at most `N` calls a second, 0 for no limit"},
			&cli.IntFlag{Name: "concurrency", Value: defaultConcurrency, Usage: "at most `N` calls at a time"},
		),
		OnUsageError: usageError,
		Action:       fetchAction,
	}
}

func fetchAction(c *cli.Context) error {
	if c.Args().Present() {
		return vpn.Problem{Field: "argument", Value: c.Args().First(), Reason: "fetch takes options only", Hint: "name connections by --connection"}
	}
	path := c.String("output")
	if path == "" {
		return refusal(path, "empty", "-o saved.json")
	}
	if path == "-" && isTerminal(c.App.Writer) {
		return vpn.Problem{Field: "-o", Value: "-", Reason: "it would show pre-shared keys on the terminal", Hint: "-o saved.json"}
	}
	to, err := openSink(path, shape{}, nil, c.App.Writer) // before the work, not after it
	if err != nil {
		return err
	}
	defer guarded(to)()
	fetched, failed := fetchLive(c)
	if failed != nil && (!c.Bool("keep-going") || fetched.Empty()) {
		return errors.Join(failed, to.close(false))
	}
	err = to.write(saved(fetched, to))
	return errors.Join(failed, err, to.close(err == nil))
}

// saved is what a sink gets: a file for each connection in a directory, else
// all in one.
func saved(f fetch.Fetched, to sink) []render.Output {
	if _, isDir := to.(*dirSink); !isDir {
		return []render.Output{{Text: f.JSON()}}
	}
	var each []render.Output
	for _, file := range f.Files() {
		each = append(each, render.Output{Name: file.ID + ".json", Text: file.Text})
	}
	return each
}

// liveSource is the live API as a source: asked once, when it is first read.
func liveSource(c *cli.Context) fetch.Source {
	fetched := sync.OnceValues(func() (fetch.Fetched, error) { return fetchLive(c) })
	return fetch.Source{Name: "live API", Open: func() (io.ReadCloser, error) {
		f, err := fetched()
		if err != nil {
			return nil, err
		}
		return f.Source().Open()
	}}
}

// fetchLive asks the API what the flags say.
func fetchLive(c *cli.Context) (fetch.Fetched, error) {
	progress := newProgress(c.App.ErrWriter, time.Now)
	defer progress.clear()
	q := fetch.Query{
		Regions: c.StringSlice("region"), Connections: c.StringSlice("connection"),
		Gateway: c.String("gateway"), CustomerGateway: c.String("customer-gateway"), Tags: c.StringSlice("tag"), All: c.Bool("all"),
		Profile: c.String("profile"), Endpoint: c.String("endpoint"),
		Rate: defaultRate, Concurrency: defaultConcurrency, Progress: progress.report,
	}
	if c.Command.Name == "fetch" {
		q.Rate, q.Concurrency = c.Float64("rate"), c.Int("concurrency")
	}
	return fetch.Fetch(c.Context, q)
}

// progress says on a terminal how far a fetch is, if it takes a while.
type progress struct {
	to    io.Writer // nil where there is no terminal
	now   func() time.Time
	start time.Time
	shown bool
}

func newProgress(to io.Writer, now func() time.Time) *progress {
	if !isTerminal(to) {
		to = nil
	}
	return &progress{to: to, now: now, start: now()}
}

func (p *progress) report(done, total int) {
	if p.to == nil || p.now().Sub(p.start) < time.Second {
		return
	}
	p.shown = true
	fmt.Fprintf(p.to, "\rpeerconf: %d of %d calls\x1b[K", done, total)
}

func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.to, "\r\x1b[K")
	}
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
