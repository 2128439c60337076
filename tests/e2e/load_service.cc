// The service of the clients of load_clients: prints the port that it listens on, lets everybody in
// by the name in the query, `c<number>`, and into the room `r<number % ROOMS>`. Answers each line
// of its input with how often it was asked about a connect and told of an end, and ends with its
// input.
//
//   load_service ROOMS
#include <grpcpp/grpcpp.h>

#include <atomic>
#include <iostream>
#include <memory>
#include <string>

#include "wsrouter/v1/backend.grpc.pb.h"

namespace {

class LoadService final : public wsrouter::v1::Backend::CallbackService {
 public:
  explicit LoadService(unsigned long rooms) : rooms_(rooms) {}

  grpc::ServerUnaryReactor* Connect(grpc::CallbackServerContext* context,
                                    const wsrouter::v1::ConnectRequest* request,
                                    wsrouter::v1::ConnectResponse* response) override {
    ++connects;
    const std::string& name = request->client().query();
    auto& accept = *response->mutable_accept();
    accept.set_client_id(name);
    const std::string room = std::to_string(std::stoul(name.substr(1)) % rooms_);
    accept.add_rooms("r" + room);
    accept.add_rooms("h" + room);
    (*accept.mutable_labels())["name"] = name;
    return Finish(context);
  }

  grpc::ServerUnaryReactor* Disconnected(grpc::CallbackServerContext* context,
                                         const wsrouter::v1::DisconnectedRequest*,
                                         wsrouter::v1::DisconnectedResponse*) override {
    ++ends;
    return Finish(context);
  }

  std::atomic<unsigned long> connects{0};
  std::atomic<unsigned long> ends{0};

 private:
  static grpc::ServerUnaryReactor* Finish(grpc::CallbackServerContext* context) {
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  const unsigned long rooms_;
};

}  // namespace

int main(int count, char** words) {
  if (count != 2) {
    std::cerr << "load_service ROOMS\n";
    return 2;
  }
  LoadService service(std::stoul(words[1]));
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  std::cout << "{\"port\": " << port << "}" << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    std::cout << "{\"connects\": " << service.connects << ", \"ends\": " << service.ends << "}"
              << std::endl;
  }
  server->Shutdown(std::chrono::system_clock::now());
}
