#ifndef WSROUTER_TESTS_SUPPORT_BACKEND_SERVICES_H_
#define WSROUTER_TESTS_SUPPORT_BACKEND_SERVICES_H_

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "grpcpp/channel.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/support/status.h"
#include "tests/support/recorder.h"
#include "wsrouter/v1/backend.grpc.pb.h"
#include "wsrouter/v1/events.grpc.pb.h"

namespace wsrouter {

// Gives the answer to a question: now, later, or never. Any thread, at most once.
template <typename Response>
using BackendReply = std::function<void(const grpc::Status& status, const Response& response)>;

// What a service that a test plays does with questions. A question without a handler is answered
// with an empty response.
struct BackendHandlers {
  template <typename Request, typename Response>
  using Handler = std::function<void(const Request&, BackendReply<Response>)>;

  Handler<v1::ConnectRequest, v1::ConnectResponse> connect;
  Handler<v1::MessageRequest, v1::MessageResponse> message;
  Handler<v1::DisconnectedRequest, v1::DisconnectedResponse> disconnected;
  Handler<v1::JoinCheckRequest, v1::JoinCheckResponse> join_check;
};

// A service that writes down what it is asked, whichever way it is asked.
class TestService {
 public:
  explicit TestService(BackendHandlers handlers) : handlers_(std::move(handlers)) {}
  virtual ~TestService() = default;

  // Goes without a word to those who wait.
  virtual void Die() = 0;

  // "Connect /ws", "Message hello of alice", "Disconnected 1000 of alice",
  // "JoinCheck lobby of alice", "cancelled".
  testing::Recorder asked;

 protected:
  void Handle(const v1::ConnectRequest& request, BackendReply<v1::ConnectResponse> reply);
  void Handle(const v1::MessageRequest& request, BackendReply<v1::MessageResponse> reply);
  void Handle(const v1::DisconnectedRequest& request, BackendReply<v1::DisconnectedResponse> reply);
  void Handle(const v1::JoinCheckRequest& request, BackendReply<v1::JoinCheckResponse> reply);

 private:
  const BackendHandlers handlers_;
};

// A server of wsrouter.v1.Backend.
class DialledTestService final : public TestService {
 public:
  // Port 0: any; the address is `address`. Without credentials it speaks no TLS.
  explicit DialledTestService(BackendHandlers handlers, int port = 0,
                              std::shared_ptr<grpc::ServerCredentials> credentials = nullptr);
  ~DialledTestService() override;

  void Die() override;
  const std::string& address() const { return address_; }
  int port() const { return port_; }

 private:
  class Service;
  template <typename Response>
  class Reactor;

  std::string address_;
  int port_ = 0;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
};

// A client that attaches to a node. Is attached when it is made.
class AttachedTestService final : public TestService {
 public:
  AttachedTestService(BackendHandlers handlers, const std::shared_ptr<grpc::Channel>& channel,
                      v1::Attachment attachment = {});
  ~AttachedTestService() override;

  void Die() override;
  // Waits for the end of the stream, which others bring about.
  grpc::Status AwaitEnd();

 private:
  struct Stream;

  void Read();
  void Take(const v1::AttachQuestion& question);

  std::shared_ptr<Stream> stream_;
  grpc::Status end_;
  std::thread thread_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_BACKEND_SERVICES_H_
