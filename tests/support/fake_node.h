#ifndef WSROUTER_TESTS_SUPPORT_FAKE_NODE_H_
#define WSROUTER_TESTS_SUPPORT_FAKE_NODE_H_

#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wsrouter/v1/events.grpc.pb.h"
#include "wsrouter/v1/router.grpc.pb.h"

namespace wsrouter::testing {

// One stream as the fake serves it: all responses, then `end`, or nothing more until the caller
// goes away.
template <typename Response>
struct Script {
  std::vector<Response> responses = {};
  std::optional<grpc::Status> end = {};
};

// Answers the streams of Events from scripts, one after another; without a script a stream is
// silent. Records the requests.
class FakeEvents final : public v1::Events::CallbackService {
 public:
  void Expect(Script<v1::WatchResponse> script);
  void Expect(Script<v1::SubscribeResponse> script);
  std::vector<v1::WatchRequest> watch_requests();

  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;
  grpc::ServerWriteReactor<v1::SubscribeResponse>* Subscribe(
      grpc::CallbackServerContext* context, const v1::SubscribeRequest* request) override;

 private:
  std::mutex mutex_;
  std::deque<Script<v1::WatchResponse>> watch_scripts_;          // by mutex_
  std::deque<Script<v1::SubscribeResponse>> subscribe_scripts_;  // by mutex_
  std::vector<v1::WatchRequest> watch_requests_;                 // by mutex_
};

// Records what Own was asked for. Own succeeds for everybody but the connection "gone" and answers
// never for "silent".
class FakeRouter final : public v1::Router::CallbackService {
 public:
  std::vector<v1::OwnRequest> own_requests();
  std::string authorization();  // of the last call

  grpc::ServerUnaryReactor* Own(grpc::CallbackServerContext* context, const v1::OwnRequest* request,
                                v1::OwnResponse* response) override;

 private:
  std::mutex mutex_;
  std::vector<v1::OwnRequest> own_requests_;  // by mutex_
  std::string authorization_;                 // by mutex_
};

// A gRPC server with both, in plain text unless it is given credentials, on a port of 127.0.0.1
// that the system picks, until Stop.
class FakeNode {
 public:
  explicit FakeNode(
      std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials())
      : credentials_(std::move(credentials)) {
    Start(0);
  }
  ~FakeNode() { Stop(); }

  // Cuts every stream off.
  void Stop();
  // On the same port again.
  void Restart() { Start(port_); }

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  FakeEvents events;
  FakeRouter router;

 private:
  void Start(int port);

  const std::shared_ptr<grpc::ServerCredentials> credentials_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace wsrouter::testing

#endif  // WSROUTER_TESTS_SUPPORT_FAKE_NODE_H_
