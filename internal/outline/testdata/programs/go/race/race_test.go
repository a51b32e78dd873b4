package race

import (
	"sync"
	"testing"
)

func TestCount(t *testing.T) {
	n := 0
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { n++ })
	}
	both.Wait()
}
