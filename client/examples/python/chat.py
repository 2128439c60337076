"""A chat service that decides about clients, in Python. Run it here, beside a node started with
  --set "backend.routes=/chat dns:///127.0.0.1:50051" --set gateway.event_cookies=session

  ../stubs.sh python gen
  python3 chat.py [LISTEN NODE]    (by default 127.0.0.1:50051 127.0.0.1:9090)
"""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

import grpc

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "gen"))
from wsrouter.v1 import backend_pb2, backend_pb2_grpc, router_pb2, router_pb2_grpc

SESSIONS = {"alice-session": "alice", "bob-session": "bob", "mallory-session": "mallory"}
BANNED = {"mallory"}


def to_lobby(**news):
    return router_pb2.PushRequest(room="lobby", payload={"text": json.dumps(news)})


class Chat(backend_pb2_grpc.BackendServicer):
    def __init__(self, node):
        self.router = router_pb2_grpc.RouterStub(grpc.insecure_channel(node))

    def Connect(self, request, context):
        who = SESSIONS.get(request.client.cookies.get("session"))
        if who is None:
            return backend_pb2.ConnectResponse(refuse={"code": 4001, "reason": "log in first"})
        if who in BANNED:
            return backend_pb2.ConnectResponse(refuse={"code": 4003, "reason": "banned"})
        welcome = json.dumps({"type": "welcome", "you": who})
        return backend_pb2.ConnectResponse(
            accept={"client_id": who, "rooms": ["lobby"], "first": [{"text": welcome}]})

    def Message(self, request, context):
        try:
            said = json.loads(request.payload.text)
        except ValueError:
            said = None
        match said:
            case {"type": "say", "text": str(text)}:
                effect = {"push": to_lobby(type="said", **{"from": request.client_id}, text=text)}
            case {"type": "leave"}:
                effect = {"leave": {"rooms": ["lobby"]}}
            case {"type": "quit"}:
                effect = {"disconnect": {"code": 4000, "reason": "bye"}}
            case _:
                effect = {"disconnect": {"code": 1008, "reason": "say, leave or quit"}}
        return backend_pb2.MessageResponse(effects=[effect])

    def Disconnected(self, request, context):
        self.router.Push(to_lobby(type="left", who=request.client_id), timeout=5)
        return backend_pb2.DisconnectedResponse()


def main(listen="127.0.0.1:50051", node="127.0.0.1:9090"):
    server = grpc.server(ThreadPoolExecutor(max_workers=16))
    backend_pb2_grpc.add_BackendServicer_to_server(Chat(node), server)
    port = server.add_insecure_port(listen)
    server.start()
    print("answering at port", port, flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
