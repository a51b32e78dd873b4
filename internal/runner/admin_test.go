package runner

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stepcast/stepcast/internal/ci"
)

// What is shown of a new token is worked out here: a server could say anything.
func TestClient_CreateToken(t *testing.T) {
	t.Parallel()
	text := ci.NewToken()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"id":"\u001b[2Jx","token":"%s"}`, text)
	}))
	defer server.Close()
	client, err := NewClient(server.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	made, err := client.CreateToken(t.Context(), "portal", "acme/*", []string{"status"}, nil)
	sum, _ := ci.ParseToken(text)
	if err != nil || made.Text != text || made.ID != ci.TokenID(sum) {
		t.Errorf("%+v, %v", made, err)
	}
}
