package fetch

import (
	"context"
	"math/rand/v2"
	"time"
)

// Retries wait a random part of a time that doubles from the first to the
// last ("full jitter"), so that calls throttled together do not return
// together. All of them wait 45 seconds at most.
const (
	tries     = 9
	firstWait = 200 * time.Millisecond
	lastWait  = 20 * time.Second
)

// call asks the API for a reply and asks again where the failure may pass. Its
// error is a *failure, or the context's.
func (s *session) call(ctx context.Context, r *request) ([]byte, error) {
	for n := 1; ; n++ {
		if err := s.limiter.Wait(ctx); err != nil {
			return nil, err
		}
		reply, err := s.try(ctx, r)
		if err == nil || ctx.Err() != nil {
			return reply, ctx.Err()
		}
		failed := s.explain(err, r)
		if !failed.transient || n == tries {
			return nil, failed
		}
		if err := s.pause(ctx, wait(n)); err != nil {
			return nil, err
		}
	}
}

// wait is how long to wait behind the n-th try.
func wait(n int) time.Duration { return rand.N(min(firstWait<<(n-1), lastWait)) }

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
