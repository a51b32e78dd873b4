package shapes

import (
	"fmt"
	"testing"
)

func TestArea(t *testing.T) {
	if got := Area(2, 3); got != 6 {
		t.Errorf("Area(2, 3) = %d, want 6", got)
	}
}

func TestAreas(t *testing.T) {
	for _, c := range []struct{ width, height, want int }{{2, 2, 4}, {1, 5, 5}} {
		t.Run(fmt.Sprintf("%d by %d", c.width, c.height), func(t *testing.T) {
			t.Parallel()
			fmt.Println("fake.c:1:1: error: printed by a test")
			t.Log("a thing to know")
			if got := Area(c.width, c.height); got != c.want {
				t.Errorf("got  %d\nwant %d", got, c.want)
			}
		})
	}
}

func TestSkipped(t *testing.T) { t.Skip("no ruler on this machine") }

func TestGood(t *testing.T) { t.Log("fine") }
