package fetch

import "iter"

const (
	alone     = 8  // connections that are read without a goroutine, which costs more than they do
	readAhead = 64 // connections that are read before the first of them is used up
)

// ahead runs a sequence in a goroutine of its own, a little ahead of its
// consumer: the next connection is read while one is rendered. The goroutine
// is gone when the consumer is done.
func ahead[T any](seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	type item struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		items, done := make(chan item, readAhead), make(chan struct{})
		go func() {
			defer close(items)
			for v, err := range seq {
				select {
				case items <- item{v, err}:
				case <-done:
					return
				}
			}
		}()
		defer func() {
			close(done)
			for range items { // until it has let go of what it reads
			}
		}()
		for i := range items {
			if !yield(i.value, i.err) {
				return
			}
		}
	}
}
