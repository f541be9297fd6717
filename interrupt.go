package main

import (
	"os"
	"os/signal"
	"syscall"
)

// guarded discards what a sink has collected if the program is interrupted,
// whatever it is waiting for then, and ends it as shells expect.
func guarded(s sink) (release func()) {
	signals, released := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case sig := <-signals:
			s.close(false)
			os.Exit(exitSignal + int(sig.(syscall.Signal)))
		case <-released:
		}
	}()
	return func() {
		signal.Stop(signals)
		close(released)
	}
}
