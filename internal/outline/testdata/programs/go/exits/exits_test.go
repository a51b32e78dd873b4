package exits

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	fmt.Println("no database to be found")
	os.Exit(3)
}
