// A chat service that decides about clients, in Go. Run it here, beside a node started with
// --set "backend.routes=/chat dns:///127.0.0.1:50051" --set gateway.event_cookies=session
//
//	../stubs.sh go gen
//	go run . [LISTEN NODE]    (by default 127.0.0.1:50051 127.0.0.1:9090)
package main

import (
	v1 "chat/gen/wsrouter/v1"
	"context"
	"encoding/json"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"log"
	"net"
	"os"
)

var sessions = map[string]string{"alice-session": "alice", "bob-session": "bob", "mallory-session": "mallory"}
var banned = map[string]bool{"mallory": true}

type object map[string]any
type chat struct {
	v1.UnimplementedBackendServer
	router v1.RouterClient
}

func (o object) payload() *v1.Payload {
	text, _ := json.Marshal(o) // cannot fail: strings only
	return &v1.Payload{Data: &v1.Payload_Text{Text: string(text)}}
}

func (c *chat) Connect(_ context.Context, r *v1.ConnectRequest) (*v1.ConnectResponse, error) {
	who, known := sessions[r.GetClient().GetCookies()["session"]]
	refuse := &v1.Refuse{Code: 4001, Reason: "log in first"}
	if known && !banned[who] {
		welcome := object{"type": "welcome", "you": who}.payload()
		accept := &v1.Accept{ClientId: who, Rooms: []string{"lobby"}, First: []*v1.Payload{welcome}}
		return &v1.ConnectResponse{Decision: &v1.ConnectResponse_Accept{Accept: accept}}, nil
	} else if known {
		refuse = &v1.Refuse{Code: 4003, Reason: "banned"}
	}
	return &v1.ConnectResponse{Decision: &v1.ConnectResponse_Refuse{Refuse: refuse}}, nil
}

func (c *chat) Message(_ context.Context, r *v1.MessageRequest) (*v1.MessageResponse, error) {
	var said object // stays empty if it is no JSON object
	_ = json.Unmarshal([]byte(r.GetPayload().GetText()), &said)
	text, isText := said["text"].(string)
	closing := &v1.Close{Code: 1008, Reason: "say, leave or quit"}
	effect := &v1.Effect{Effect: &v1.Effect_Disconnect{Disconnect: closing}}
	if said["type"] == "say" && isText {
		news := object{"type": "said", "from": r.ClientId, "text": text}.payload()
		effect.Effect = &v1.Effect_Push{Push: &v1.PushRequest{Room: "lobby", Payload: news}}
	} else if said["type"] == "leave" {
		effect.Effect = &v1.Effect_Leave{Leave: &v1.RoomList{Rooms: []string{"lobby"}}}
	} else if said["type"] == "quit" {
		closing.Code, closing.Reason = 4000, "bye"
	}
	return &v1.MessageResponse{Effects: []*v1.Effect{effect}}, nil
}

func (c *chat) Disconnected(ctx context.Context, r *v1.DisconnectedRequest) (*v1.DisconnectedResponse, error) {
	news := object{"type": "left", "who": r.ClientId}.payload()
	_, err := c.router.Push(ctx, &v1.PushRequest{Room: "lobby", Payload: news})
	return &v1.DisconnectedResponse{}, err
}

func main() {
	args := append(os.Args[1:], "127.0.0.1:50051", "127.0.0.1:9090")
	node, err := grpc.NewClient(args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	listener, failed := net.Listen("tcp", args[0])
	if err != nil || failed != nil {
		log.Fatal(err, failed)
	}
	server := grpc.NewServer()
	v1.RegisterBackendServer(server, &chat{router: v1.NewRouterClient(node)})
	log.Print("answering at port ", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(server.Serve(listener))
}
