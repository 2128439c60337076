// The smallest service that a node can dial: prints the port that it listens on, lets everybody in
// by the name in the query, sends what they say to the room, replies to who asks ("?..."), and ends
// with its standard input.
#include <grpcpp/grpcpp.h>

#include <iostream>
#include <memory>
#include <string>

#include "wsrouter/v1/backend.grpc.pb.h"

namespace {

class ChatService final : public wsrouter::v1::Backend::Service {
  grpc::Status Connect(grpc::ServerContext*, const wsrouter::v1::ConnectRequest* request,
                       wsrouter::v1::ConnectResponse* response) override {
    if (request->client().query().empty()) {
      response->mutable_refuse()->set_code(4001);
      response->mutable_refuse()->set_reason("who are you?");
      return grpc::Status::OK;
    }
    auto& accept = *response->mutable_accept();
    accept.set_client_id(request->client().query());
    accept.add_rooms("lobby");
    accept.add_first()->set_text("welcome " + accept.client_id());
    return grpc::Status::OK;
  }

  grpc::Status Message(grpc::ServerContext*, const wsrouter::v1::MessageRequest* request,
                       wsrouter::v1::MessageResponse* response) override {
    const std::string& text = request->payload().text();
    if (text.starts_with('?')) {
      response->mutable_reply()->set_text(request->client_id() + " asks " + request->room() + text);
      return grpc::Status::OK;
    }
    auto& push = *response->add_effects()->mutable_push();
    push.set_room("lobby");
    push.mutable_payload()->set_text(request->client_id() + ": " + text);
    return grpc::Status::OK;
  }

  grpc::Status JoinCheck(grpc::ServerContext*, const wsrouter::v1::JoinCheckRequest* request,
                         wsrouter::v1::JoinCheckResponse* response) override {
    if (request->room() == request->client_id()) {
      response->mutable_allow();
    } else {
      response->mutable_deny()->set_reason("not your room");
    }
    return grpc::Status::OK;
  }

  grpc::Status Disconnected(grpc::ServerContext*, const wsrouter::v1::DisconnectedRequest* request,
                            wsrouter::v1::DisconnectedResponse*) override {
    std::cout << "gone " << request->client_id() << std::endl;
    return grpc::Status::OK;
  }
};

}  // namespace

int main() {
  ChatService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::cout << port << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  server->Shutdown(std::chrono::system_clock::now());
}
