#include "tests/support/backend_services.h"

#include <chrono>
#include <utility>

#include "fmt/format.h"
#include "grpcpp/client_context.h"
#include "grpcpp/server_builder.h"
#include "gtest/gtest.h"

namespace wsrouter {

void TestService::Handle(const v1::ConnectRequest& request,
                         BackendReply<v1::ConnectResponse> reply) {
  asked.Add(fmt::format("Connect {}", request.client().path()));
  if (!handlers_.connect) return reply(grpc::Status::OK, {});
  handlers_.connect(request, std::move(reply));
}

void TestService::Handle(const v1::MessageRequest& request,
                         BackendReply<v1::MessageResponse> reply) {
  const std::string& text =
      request.payload().has_text() ? request.payload().text() : request.payload().binary();
  asked.Add(fmt::format("Message {} of {}", text, request.client_id()));
  if (!handlers_.message) return reply(grpc::Status::OK, {});
  handlers_.message(request, std::move(reply));
}

void TestService::Handle(const v1::DisconnectedRequest& request,
                         BackendReply<v1::DisconnectedResponse> reply) {
  asked.Add(
      fmt::format("Disconnected {} of {}", request.disconnected().code(), request.client_id()));
  if (!handlers_.disconnected) return reply(grpc::Status::OK, {});
  handlers_.disconnected(request, std::move(reply));
}

void TestService::Handle(const v1::JoinCheckRequest& request,
                         BackendReply<v1::JoinCheckResponse> reply) {
  asked.Add(fmt::format("JoinCheck {} of {}", request.room(), request.client_id()));
  if (!handlers_.join_check) return reply(grpc::Status::OK, {});
  handlers_.join_check(request, std::move(reply));
}

// Who answers late finds the reactor gone, and no harm done.
template <typename Response>
class DialledTestService::Reactor final : public grpc::ServerUnaryReactor {
 public:
  Reactor(TestService& service, Response* response)
      : service_(service), response_(response), link_(std::make_shared<Link>()) {
    link_->reactor = this;
  }

  BackendReply<Response> Reply() {
    return [link = link_](const grpc::Status& status, const Response& response) {
      std::lock_guard lock(link->mutex);
      if (link->reactor == nullptr) return;
      *link->reactor->response_ = response;
      std::exchange(link->reactor, nullptr)->Finish(status);
    };
  }

 private:
  struct Link {
    std::mutex mutex;
    Reactor* reactor = nullptr;
  };

  void OnCancel() override {
    service_.asked.Add("cancelled");
    std::lock_guard lock(link_->mutex);
    if (std::exchange(link_->reactor, nullptr) != nullptr) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

  TestService& service_;
  Response* const response_;
  const std::shared_ptr<Link> link_;
};

class DialledTestService::Service final : public v1::Backend::CallbackService {
 public:
  explicit Service(DialledTestService& owner) : owner_(owner) {}

  grpc::ServerUnaryReactor* Connect(grpc::CallbackServerContext*, const v1::ConnectRequest* request,
                                    v1::ConnectResponse* response) override {
    return Serve(*request, response);
  }
  grpc::ServerUnaryReactor* Message(grpc::CallbackServerContext*, const v1::MessageRequest* request,
                                    v1::MessageResponse* response) override {
    return Serve(*request, response);
  }
  grpc::ServerUnaryReactor* Disconnected(grpc::CallbackServerContext*,
                                         const v1::DisconnectedRequest* request,
                                         v1::DisconnectedResponse* response) override {
    return Serve(*request, response);
  }
  grpc::ServerUnaryReactor* JoinCheck(grpc::CallbackServerContext*,
                                      const v1::JoinCheckRequest* request,
                                      v1::JoinCheckResponse* response) override {
    return Serve(*request, response);
  }

 private:
  template <typename Request, typename Response>
  grpc::ServerUnaryReactor* Serve(const Request& request, Response* response) {
    auto* reactor = new Reactor<Response>(owner_, response);
    owner_.Handle(request, reactor->Reply());
    return reactor;
  }

  DialledTestService& owner_;
};

DialledTestService::DialledTestService(BackendHandlers handlers, int port,
                                       std::shared_ptr<grpc::ServerCredentials> credentials)
    : TestService(std::move(handlers)), service_(std::make_unique<Service>(*this)) {
  grpc::ServerBuilder builder;
  if (credentials == nullptr) credentials = grpc::InsecureServerCredentials();
  builder.AddListeningPort(fmt::format("127.0.0.1:{}", port), credentials, &port_);
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
  EXPECT_NE(server_, nullptr);
  address_ = fmt::format("127.0.0.1:{}", port_);
}

DialledTestService::~DialledTestService() { DialledTestService::Die(); }

void DialledTestService::Die() {
  if (server_ == nullptr) return;
  server_->Shutdown(std::chrono::system_clock::now());
  server_ = nullptr;
}

struct AttachedTestService::Stream {
  grpc::ClientContext context;
  std::unique_ptr<v1::Events::Stub> stub;
  std::unique_ptr<grpc::ClientReaderWriter<v1::AttachRequest, v1::AttachResponse>> rpc;
  std::mutex mutex;
  bool ended = false;

  void Write(const v1::AttachRequest& request) {
    std::lock_guard lock(mutex);
    if (!ended) rpc->Write(request);
  }

  template <typename Response>
  static BackendReply<Response> Reply(const std::shared_ptr<Stream>& stream, uint64_t question,
                                      Response* (v1::AttachAnswer::*field)()) {
    return [stream, question, field](const grpc::Status& status, const Response& response) {
      v1::AttachRequest request;
      v1::AttachAnswer& answer = *request.mutable_answer();
      answer.set_question_id(question);
      if (status.ok()) {
        *(answer.*field)() = response;
      } else {
        answer.mutable_error()->set_code(status.error_code());
        answer.mutable_error()->set_message(status.error_message());
      }
      stream->Write(request);
    };
  }
};

AttachedTestService::AttachedTestService(BackendHandlers handlers,
                                         const std::shared_ptr<grpc::Channel>& channel,
                                         v1::Attachment attachment)
    : TestService(std::move(handlers)), stream_(std::make_shared<Stream>()) {
  stream_->stub = v1::Events::NewStub(channel);
  stream_->rpc = stream_->stub->Attach(&stream_->context);
  v1::AttachRequest request;
  *request.mutable_attach() = std::move(attachment);
  stream_->Write(request);
  v1::AttachResponse response;
  EXPECT_TRUE(stream_->rpc->Read(&response) && response.has_ready());
  thread_ = std::thread([this] { Read(); });
}

void AttachedTestService::Read() {
  v1::AttachResponse response;
  while (stream_->rpc->Read(&response)) {
    if (response.has_question()) {
      Take(response.question());
    } else {
      asked.Add("cancelled");
    }
  }
  std::lock_guard lock(stream_->mutex);
  stream_->ended = true;
  end_ = stream_->rpc->Finish();
}

void AttachedTestService::Take(const v1::AttachQuestion& question) {
  const uint64_t id = question.question_id();
  EXPECT_GT(question.deadline().seconds() + question.deadline().nanos(), 0);
  if (question.has_connect()) {
    Handle(question.connect(), Stream::Reply(stream_, id, &v1::AttachAnswer::mutable_connect));
  } else if (question.has_message()) {
    Handle(question.message(), Stream::Reply(stream_, id, &v1::AttachAnswer::mutable_message));
  } else if (question.has_join_check()) {
    Handle(question.join_check(),
           Stream::Reply(stream_, id, &v1::AttachAnswer::mutable_join_check));
  } else {
    Handle(question.disconnected(),
           Stream::Reply(stream_, id, &v1::AttachAnswer::mutable_disconnected));
  }
}

AttachedTestService::~AttachedTestService() { AttachedTestService::Die(); }

void AttachedTestService::Die() {
  stream_->context.TryCancel();
  if (thread_.joinable()) thread_.join();
}

grpc::Status AttachedTestService::AwaitEnd() {
  if (thread_.joinable()) thread_.join();
  return end_;
}

}  // namespace wsrouter
