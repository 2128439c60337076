// A chat service that decides about clients, in C++. Run it beside a node that was started with
//   --set "backend.routes=/chat dns:///127.0.0.1:50051" --set gateway.event_cookies=session
//
//   cmake --build build/release --target chat_example
//   build/release/chat_example [LISTEN NODE]    (by default 127.0.0.1:50051 127.0.0.1:9090)
#include <grpcpp/grpcpp.h>

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "wsrouter/backend_client.h"
#include "wsrouter/v1/backend.grpc.pb.h"

using namespace wsrouter::v1;  // NOLINT: this is an example
using nlohmann::json;

const std::map<std::string, std::string> kSessions = {
    {"alice-session", "alice"}, {"bob-session", "bob"}, {"mallory-session", "mallory"}};
constexpr std::string_view kBanned = "mallory";

struct Chat final : Backend::Service {
  wsrouter::client::BackendClient router;
  explicit Chat(std::string node) : router({.target = std::move(node)}) {}

  grpc::Status Connect(grpc::ServerContext*, const ConnectRequest* request,
                       ConnectResponse* response) override {
    const auto& cookies = request->client().cookies();
    const auto cookie = cookies.find("session");
    const auto session = cookie == cookies.end() ? kSessions.end() : kSessions.find(cookie->second);
    if (session == kSessions.end() || session->second == kBanned) {
      const bool known = session != kSessions.end();
      response->mutable_refuse()->set_code(known ? 4003 : 4001);
      response->mutable_refuse()->set_reason(known ? "banned" : "log in first");
      return grpc::Status::OK;
    }
    Accept& accept = *response->mutable_accept();
    accept.set_client_id(session->second);
    accept.add_rooms("lobby");
    accept.add_first()->set_text(json{{"type", "welcome"}, {"you", session->second}}.dump());
    return grpc::Status::OK;
  }

  grpc::Status Message(grpc::ServerContext*, const MessageRequest* request,
                       MessageResponse* response) override {
    const json said = json::parse(request->payload().text(), nullptr, /*allow_exceptions=*/false);
    const json type = said.is_object() && said.contains("type") ? said["type"] : json();
    Effect& effect = *response->add_effects();
    if (type == "say" && said.contains("text") && said["text"].is_string()) {
      const json news = {{"type", "said"}, {"from", request->client_id()}, {"text", said["text"]}};
      effect.mutable_push()->set_room("lobby");
      effect.mutable_push()->mutable_payload()->set_text(news.dump());
    } else if (type == "leave") {
      effect.mutable_leave()->add_rooms("lobby");
    } else {
      effect.mutable_disconnect()->set_code(type == "quit" ? 4000 : 1008);
      effect.mutable_disconnect()->set_reason(type == "quit" ? "bye" : "say, leave or quit");
    }
    return grpc::Status::OK;
  }

  grpc::Status Disconnected(grpc::ServerContext*, const DisconnectedRequest* request,
                            DisconnectedResponse*) override {
    const std::string news = json{{"type", "left"}, {"who", request->client_id()}}.dump();
    const absl::Status pushed = router.Push({.rooms = {"lobby"}, .payload = {news}}).status();
    return {static_cast<grpc::StatusCode>(pushed.code()), std::string(pushed.message())};
  }
};

int main(int argc, char** argv) {
  Chat chat(argc > 2 ? argv[2] : "127.0.0.1:9090");
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(argc > 2 ? argv[1] : "127.0.0.1:50051",
                           grpc::InsecureServerCredentials(), &port);
  const auto server = builder.RegisterService(&chat).BuildAndStart();
  if (!server) return 1;
  std::cout << "answering at port " << port << std::endl;
  server->Wait();
}
