// Offenders that are services.
#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "grpcpp/grpcpp.h"
#include "tests/bench/pressure_offenders.h"
#include "tests/bench/pressure_others.h"
#include "tests/bench/pressure_sockets.h"
#include "tests/support/wire.h"
#include "wsrouter/v1/events.grpc.pb.h"
#include "wsrouter/v1/router.grpc.pb.h"

namespace wsrouter {
namespace {

// One TCP connection each: of one, so many streams at a time are taken, and no more.
std::shared_ptr<grpc::Channel> NewChannel(const NodePorts& ports) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);  // which would take megabytes of what nobody reads
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 65536);
  return grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(ports.control),
                                   grpc::InsecureChannelCredentials(), arguments);
}

// A stream of which the first response is read and nothing behind it.
template <typename Response>
class UnreadStream final : public grpc::ClientReadReactor<Response> {
 public:
  void Begin(absl::BlockingCounter* begun) {
    begun_ = begun;
    this->StartRead(&response_);
    this->StartCall();
  }
  void OnReadDone(bool ok) override {
    Check(ok, "a stream has ended at once");
    begun_->DecrementCount();
  }

  grpc::ClientContext context;

 private:
  absl::BlockingCounter* begun_ = nullptr;
  Response response_;
};

class UnreadAttach final : public grpc::ClientBidiReactor<v1::AttachRequest, v1::AttachResponse> {
 public:
  void Begin(absl::BlockingCounter* begun) {
    begun_ = begun;
    attach_.mutable_attach()->set_path_prefix("/asked");
    attach_.mutable_attach()->set_questions_max(10'000);
    StartWrite(&attach_);
    StartRead(&response_);
    StartCall();
  }
  void OnReadDone(bool ok) override {
    Check(ok, "a stream has ended at once");
    begun_->DecrementCount();
  }

  grpc::ClientContext context;

 private:
  absl::BlockingCounter* begun_ = nullptr;
  v1::AttachRequest attach_;
  v1::AttachResponse response_;
};

// They last as long as the process.
void OpenStreams(const NodePorts& ports) {
  constexpr int kWatches = 100;
  constexpr int kSubscriptions = 60;
  constexpr int kAttached = 40;
  absl::BlockingCounter begun(kWatches + kSubscriptions + kAttached);
  v1::WatchRequest watch;
  watch.set_include_messages(true);
  v1::SubscribeRequest subscribe;
  subscribe.add_channels("channel");
  std::vector<std::unique_ptr<v1::Events::Stub>> stubs;
  for (int i = 0; i < 10; ++i) stubs.push_back(v1::Events::NewStub(NewChannel(ports)));
  for (int i = 0; i < kWatches; ++i) {
    auto* stream = new UnreadStream<v1::WatchResponse>;
    stubs[i % stubs.size()]->async()->Watch(&stream->context, &watch, stream);
    stream->Begin(&begun);
  }
  for (int i = 0; i < kSubscriptions; ++i) {
    auto* stream = new UnreadStream<v1::SubscribeResponse>;
    stubs[i % stubs.size()]->async()->Subscribe(&stream->context, &subscribe, stream);
    stream->Begin(&begun);
  }
  for (int i = 0; i < kAttached; ++i) {
    auto* stream = new UnreadAttach;
    stubs[i % stubs.size()]->async()->Attach(&stream->context, stream);
    stream->Begin(&begun);
  }
  begun.Wait();
}

// So many calls of Push at a time, for ever.
class PushesWithoutEnd {
 public:
  PushesWithoutEnd(const NodePorts& ports, const std::string& room)
      : stub_(v1::Router::NewStub(NewChannel(ports))) {
    request_.set_room(room);
    request_.mutable_payload()->set_text(std::string(65536, 'x'));
  }
  void Start() {
    auto call = std::make_shared<Call>();
    stub_->async()->Push(&call->context, &request_, &call->response,
                         [this, call](const grpc::Status&) { Start(); });
  }

 private:
  struct Call {
    grpc::ClientContext context;
    v1::PushResponse response;
  };
  std::unique_ptr<v1::Router::Stub> stub_;
  v1::PushRequest request_;
};

[[noreturn]] void PushOn(const NodePorts& ports, const std::string& room) {
  PushesWithoutEnd pushes(ports, room);
  for (int i = 0; i < 64; ++i) pushes.Start();
  for (;;) pause();
}

}  // namespace

void WatchWithoutReading(const NodePorts& ports, int ready) {
  OpenStreams(ports);
  SayReady(ready);
  std::thread asked([&] {  // each of whom an attached service is asked about, which never answers
    for (;;) {
      FrameSocket socket(ports.gateway, "127.0.0.2");
      if (socket.connected()) socket.Upgrade("/asked");
    }
  });
  const auto stub = v1::Router::NewStub(NewChannel(ports));
  v1::BroadcastRequest request;
  request.set_channel("channel");
  request.mutable_payload()->set_text(std::string(1024, 'x'));
  for (;;) {
    grpc::ClientContext context;
    v1::BroadcastResponse response;
    stub->Broadcast(&context, request, &response);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void WatchAndStop(const NodePorts& ports, int ready) {
  OpenStreams(ports);
  SayReady(ready);
  raise(SIGSTOP);
}

void PushToAHugeRoom(const NodePorts& ports, int ready) {
  std::vector<std::unique_ptr<FrameSocket>> sockets;
  std::vector<uint16_t> local_ports;
  const int events = epoll_create1(0);
  for (int i = 0; i < 1000; ++i) {
    const std::string source = "127.0.0." + std::to_string(2 + i / 100);
    sockets.push_back(std::make_unique<FrameSocket>(ports.gateway, source));
    Check(sockets.back()->Upgrade("/ws"), "no upgrade");
    local_ports.push_back(sockets.back()->local_port());
    (void)fcntl(sockets.back()->fd(), F_SETFL, O_NONBLOCK);
    epoll_event in = {.events = EPOLLIN, .data = {.fd = sockets.back()->fd()}};
    epoll_ctl(events, EPOLL_CTL_ADD, sockets.back()->fd(), &in);
  }
  OwnByPort(ports.control, local_ports, "huge");
  SayReady(ready);
  std::thread reader([events] {
    std::vector<char> buffer(1 << 20);
    for (;;) {
      epoll_event in[256];
      const int count = epoll_wait(events, in, 256, -1);
      for (int i = 0; i < count; ++i) {
        const int fd = in[i].data.fd;
        if (recv(fd, buffer.data(), buffer.size(), 0) == 0) {
          epoll_ctl(events, EPOLL_CTL_DEL, fd, nullptr);
        }
      }
    }
  });
  PushOn(ports, "huge");
}

void PushToNobody(const NodePorts& ports, int ready) {
  SayReady(ready);
  PushOn(ports, "nobody");
}

}  // namespace wsrouter
