package slow

import "testing"

func TestQuick(t *testing.T) {}

func TestSlow(t *testing.T) {
	t.Run("twin", func(t *testing.T) { t.Parallel(); t.Log("waits") })
	wait()
}

func wait() { <-make(chan int) }
