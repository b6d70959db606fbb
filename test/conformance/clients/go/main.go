// A client of coder/websocket. It prints each message of the server as a line, comes back after the
// end of a connection, and resumes with the cursors that it has seen.
// Arguments: the address of the endpoint, a token.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/coder/websocket"
)

const (
	retry    = 100 * time.Millisecond
	deadline = 10 * time.Second
)

type message struct {
	Type    string `json:"type"`
	Channel string `json:"channel"`
	Cursor  string `json:"cursor"`
}

func main() {
	cursors := map[string]string{}
	for {
		if connection, err := dial(os.Args[1], os.Args[2]); err == nil {
			serve(connection, cursors)
			connection.CloseNow()
			fmt.Println(`{"type":"disconnect"}`)
		}
		time.Sleep(retry)
	}
}

func dial(url, token string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	connection, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{
		HTTPHeader:      http.Header{"Authorization": {"Bearer " + token}},
		CompressionMode: websocket.CompressionContextTakeover,
	})
	return connection, err
}

// Reads until the connection ends.
func serve(connection *websocket.Conn, cursors map[string]string) {
	for {
		_, text, err := connection.Read(context.Background())
		if err != nil {
			return
		}
		fmt.Println(string(text))
		var received message
		if json.Unmarshal(text, &received) != nil {
			continue
		}
		if received.Type == "connection" {
			greet(connection, cursors)
		}
		if received.Channel != "" && received.Cursor != "" {
			cursors[received.Channel] = received.Cursor
		}
	}
}

func greet(connection *websocket.Conn, cursors map[string]string) {
	if len(cursors) > 0 {
		send(connection, map[string]any{"action": "resume", "cursors": cursors})
	}
	send(connection, map[string]any{"action": "ping"})
}

func send(connection *websocket.Conn, command any) {
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	text, _ := json.Marshal(command)
	_ = connection.Write(ctx, websocket.MessageText, text) // a failure ends the next read too
}
