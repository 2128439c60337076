// What a push costs its caller: one gRPC client against a whole node, each in a process of its own,
// and how soon the frame is at a WebSocket client. See README.md beside this file.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "config.h"
#include "core/frame.h"
#include "grpcpp/grpcpp.h"
#include "node.h"
#include "tests/bench/readers.h"
#include "wsrouter/v1/router.grpc.pb.h"

namespace wsrouter {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kPayloadBytes = 128;
constexpr int kPaced = 5'000;  // pushes, one a millisecond
constexpr int kConcurrent = 50'000;
constexpr int kInFlight = 64;

struct Ports {
  uint16_t gateway;
  uint16_t control;
};

void Check(bool fine, const std::string& what) {
  if (fine) return;
  fprintf(stderr, "%s\n", what.c_str());
  exit(1);
}
void Check(const grpc::Status& status) { Check(status.ok(), status.error_message()); }

double Micros(Steady::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

void Print(const char* what, const std::vector<Steady::time_point>& from,
           const std::vector<Steady::time_point>& to) {
  std::vector<double> micros;
  for (size_t i = 0; i < from.size(); ++i) micros.push_back(Micros(to[i] - from[i]));
  std::ranges::sort(micros);
  const auto at = [&](double share) {
    return micros[static_cast<size_t>(share * static_cast<double>(micros.size() - 1))];
  };
  printf("push    %-44s p50 %6.0f us  p99 %6.0f us  max %6.0f us\n", what, at(0.5), at(0.99),
         at(1.0));
}

// Calls that are under way at once, each on its own; the next one starts where one ends.
class Concurrent {
 public:
  Concurrent(v1::Router::Stub& stub, const v1::PushRequest& push) : stub_(stub), push_(push) {}

  void Run() {
    const Steady::time_point begin = Steady::now();
    for (int i = 0; i < kInFlight; ++i) Start();
    mutex_.Lock();
    while (done_ < kConcurrent) all_done_.Wait(&mutex_);
    mutex_.Unlock();
    printf("push    %d calls in flight: %.0f calls/s\n", kInFlight,
           kConcurrent / (Micros(Steady::now() - begin) / 1e6));
    Print("64 calls in flight: answer", starts_, ends_);
  }

 private:
  struct Call {
    grpc::ClientContext context;
    v1::PushResponse response;
  };

  void Start() {
    size_t index = 0;
    {
      absl::MutexLock lock(&mutex_);
      if (starts_.size() == kConcurrent) return;
      index = starts_.size();
      starts_.push_back(Steady::now());
      ends_.emplace_back();
    }
    auto call = std::make_shared<Call>();
    stub_.async()->Push(&call->context, &push_, &call->response,
                        [this, call, index](grpc::Status status) {
                          Check(status);
                          Start();
                          absl::MutexLock lock(&mutex_);
                          ends_[index] = Steady::now();
                          if (++done_ == kConcurrent) all_done_.Signal();
                        });
  }

  v1::Router::Stub& stub_;
  const v1::PushRequest& push_;
  absl::Mutex mutex_;
  absl::CondVar all_done_;
  int done_ = 0;
  std::vector<Steady::time_point> starts_;
  std::vector<Steady::time_point> ends_;
};

// A caller, and a WebSocket client that it owns: the only member of the room it pushes to.
class Caller {
 public:
  explicit Caller(const Ports& ports)
      : stub_(v1::Router::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(ports.control),
                                                      grpc::InsecureChannelCredentials()))),
        socket_(ConnectWebSocket(ports.gateway)) {
    push_.set_room("room");
    push_.mutable_payload()->set_text(std::string(kPayloadBytes, 'x'));
    v1::ConnectionsResponse connections;
    grpc::ClientContext list;
    Check(stub_->Connections(&list, {}, &connections));
    v1::OwnRequest own;
    own.set_connection_id(connections.connections(0).connection_id());
    own.set_client_id("reader");
    own.add_rooms("room");
    v1::OwnResponse owned;
    grpc::ClientContext context;
    Check(stub_->Own(&context, own, &owned));
  }
  ~Caller() { close(socket_); }

  // `interval` between the starts of two pushes; zero: one after the other.
  void OneByOne(const char* name, Steady::duration interval) {
    std::vector<Steady::time_point> starts;
    std::vector<Steady::time_point> answers;
    std::vector<Steady::time_point> arrivals;
    std::thread reader([&] {
      std::string frame(Frame::Make(Opcode::kText, push_.payload().text())->wire().size(), ' ');
      for (int i = 0; i < kPaced; ++i) {
        const ssize_t got = recv(socket_, frame.data(), frame.size(), MSG_WAITALL);
        Check(got == static_cast<ssize_t>(frame.size()), "no frame");
        arrivals.push_back(Steady::now());
      }
    });
    const Steady::time_point begin = Steady::now();
    for (int i = 0; i < kPaced; ++i) {
      std::this_thread::sleep_until(begin + i * interval);
      starts.push_back(Steady::now());
      grpc::ClientContext context;
      v1::PushResponse response;
      Check(stub_->Push(&context, push_, &response));
      answers.push_back(Steady::now());
    }
    const double seconds = Micros(Steady::now() - begin) / 1e6;
    reader.join();
    printf("push    %s: %.0f calls/s\n", name, kPaced / seconds);
    Print((std::string(name) + ": answer").c_str(), starts, answers);
    Print((std::string(name) + ": frame at the member").c_str(), starts, arrivals);
  }

  void ManyAtOnce() {
    std::thread reader([&] {  // somebody must read, or the outbox fills
      std::vector<char> buffer(1 << 20);
      while (recv(socket_, buffer.data(), buffer.size(), 0) > 0) {
      }
    });
    Concurrent(*stub_, push_).Run();
    for (const int in_a_request : {1, 10, 100}) OneStream(in_a_request);
    shutdown(socket_, SHUT_RDWR);
    reader.join();
  }

 private:
  void OneStream(int in_a_request) {
    grpc::ClientContext context;
    const auto stream = stub_->PushStream(&context);
    const Steady::time_point begin = Steady::now();
    std::thread writer([&] {
      v1::PushStreamRequest request;
      for (int i = 0; i < in_a_request; ++i) *request.add_items()->mutable_push() = push_;
      for (int i = 0; i < kConcurrent; ++i) {
        request.mutable_items(i % in_a_request)->set_sequence(i + 1);
        if (i % in_a_request < in_a_request - 1) continue;
        Check(stream->Write(request, grpc::WriteOptions().set_buffer_hint()), "no stream");
      }
      stream->WritesDone();
    });
    v1::PushStreamResponse response;
    int answers = 0;
    while (stream->Read(&response)) ++answers;
    writer.join();
    Check(stream->Finish());
    printf("push    one stream, %d in a request: %.0f pushes/s, %.1f an answer\n", in_a_request,
           kConcurrent / (Micros(Steady::now() - begin) / 1e6),
           static_cast<double>(kConcurrent) / answers);
  }

  std::unique_ptr<v1::Router::Stub> stub_;
  v1::PushRequest push_;
  const int socket_;
};

void RunCaller(int ports_from) {
  PinTo(1);
  Ports ports{};
  Check(read(ports_from, &ports, sizeof(ports)) == sizeof(ports), "no node");
  Caller caller(ports);
  caller.OneByOne("1,000 a second", std::chrono::milliseconds(1));
  caller.OneByOne("one after the other", std::chrono::milliseconds(0));
  caller.ManyAtOnce();
}

uint16_t PortOf(const std::string& address) {
  return static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

void RunNode(int ports_to, pid_t caller) {
  PinTo(0);
  const auto config =
      LoadConfig({.settings = {"gateway.listen=127.0.0.1:0", "control.listen=127.0.0.1:0",
                               "admin.listen=127.0.0.1:0", "node.shards=1"},
                  .default_server_id = "bench"});
  Check(config.ok(), config.status().ToString());
  const auto node = Node::Start(*config, "bench");
  Check(node.ok(), node.status().ToString());
  const Ports ports = {.gateway = PortOf((*node)->gateway_addresses().front()),
                       .control = PortOf((*node)->control_address())};
  Check(write(ports_to, &ports, sizeof(ports)) == sizeof(ports), "no caller");
  int status = 0;
  waitpid(caller, &status, 0);
  Check(status == 0, "the caller failed");
}

}  // namespace
}  // namespace wsrouter

int main() {
  setvbuf(stdout, nullptr, _IOLBF, 0);
  int pipe_ends[2];
  if (pipe(pipe_ends) != 0) return 1;
  const pid_t caller = fork();  // before gRPC starts its threads
  if (caller == 0) {
    wsrouter::RunCaller(pipe_ends[0]);
    fflush(stdout);
    _exit(0);
  }
  wsrouter::RunNode(pipe_ends[1], caller);
  return 0;
}
