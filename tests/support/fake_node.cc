#include "tests/support/fake_node.h"

#include <chrono>
#include <utility>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace wsrouter::testing {
namespace {

// Plays one script. Deletes itself.
template <typename Response>
class ScriptedStream final : public grpc::ServerWriteReactor<Response> {
 public:
  explicit ScriptedStream(Script<Response> script) : script_(std::move(script)) {
    // Without a message nothing is on the wire: the caller must see that the stream is open.
    this->StartSendInitialMetadata();
    WriteNext();
  }

  void OnWriteDone(bool ok) override {
    if (ok) WriteNext();
  }
  void OnCancel() override { FinishOnce(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    if (next_ < script_.responses.size()) {
      this->StartWrite(&script_.responses[next_++]);
    } else if (script_.end) {
      FinishOnce(*script_.end);
    }
  }

  void FinishOnce(const grpc::Status& status) {
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(finished_, true)) return;
    }
    this->Finish(status);
  }

  Script<Response> script_;
  size_t next_ = 0;
  std::mutex mutex_;       // OnCancel may run beside the others
  bool finished_ = false;  // by mutex_
};

template <typename Response>
Script<Response> TakeFront(std::deque<Script<Response>>& scripts) {
  if (scripts.empty()) return {};
  Script<Response> script = std::move(scripts.front());
  scripts.pop_front();
  return script;
}

grpc::Status Gone() {
  google::rpc::ErrorInfo info;
  info.set_domain("wsrouter");
  info.set_reason("CONNECTION_GONE");
  google::rpc::Status status;
  status.add_details()->PackFrom(info);
  return {grpc::StatusCode::NOT_FOUND, "connection gone is closed", status.SerializeAsString()};
}

// Ends when the caller does.
class SilentCall final : public grpc::ServerUnaryReactor {
 public:
  void OnCancel() override { Finish(grpc::Status::CANCELLED); }
  void OnDone() override { delete this; }
};

}  // namespace

void FakeEvents::Expect(Script<v1::WatchResponse> script) {
  std::lock_guard lock(mutex_);
  watch_scripts_.push_back(std::move(script));
}

void FakeEvents::Expect(Script<v1::SubscribeResponse> script) {
  std::lock_guard lock(mutex_);
  subscribe_scripts_.push_back(std::move(script));
}

std::vector<v1::WatchRequest> FakeEvents::watch_requests() {
  std::lock_guard lock(mutex_);
  return watch_requests_;
}

grpc::ServerWriteReactor<v1::WatchResponse>* FakeEvents::Watch(grpc::CallbackServerContext*,
                                                               const v1::WatchRequest* request) {
  std::lock_guard lock(mutex_);
  watch_requests_.push_back(*request);
  return new ScriptedStream(TakeFront(watch_scripts_));
}

grpc::ServerWriteReactor<v1::SubscribeResponse>* FakeEvents::Subscribe(
    grpc::CallbackServerContext*, const v1::SubscribeRequest*) {
  std::lock_guard lock(mutex_);
  return new ScriptedStream(TakeFront(subscribe_scripts_));
}

std::vector<v1::OwnRequest> FakeRouter::own_requests() {
  std::lock_guard lock(mutex_);
  return own_requests_;
}

std::string FakeRouter::authorization() {
  std::lock_guard lock(mutex_);
  return authorization_;
}

grpc::ServerUnaryReactor* FakeRouter::Own(grpc::CallbackServerContext* context,
                                          const v1::OwnRequest* request,
                                          v1::OwnResponse* response) {
  std::lock_guard lock(mutex_);
  own_requests_.push_back(*request);
  const auto header = context->client_metadata().find("authorization");
  if (header != context->client_metadata().end()) {
    authorization_ = std::string(header->second.data(), header->second.size());
  }
  if (request->connection_id() == "silent") return new SilentCall;
  for (const std::string& room : request->rooms()) response->add_rooms()->set_room(room);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(request->connection_id() == "gone" ? Gone() : grpc::Status::OK);
  return reactor;
}

void FakeNode::Stop() {
  if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  server_.reset();
}

void FakeNode::Start(int port) {
  grpc::ServerBuilder builder;
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddListeningPort("127.0.0.1:" + std::to_string(port), credentials_, &port_);
  builder.RegisterService(&events);
  builder.RegisterService(&router);
  server_ = builder.BuildAndStart();
}

}  // namespace wsrouter::testing
