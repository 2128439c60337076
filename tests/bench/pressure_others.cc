#include "tests/bench/pressure_others.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "grpcpp/grpcpp.h"
#include "tests/bench/pressure_sockets.h"
#include "tests/support/wire.h"
#include "wsrouter/v1/router.grpc.pb.h"

namespace wsrouter {
namespace {

using Steady = std::chrono::steady_clock;

constexpr int kStampOctets = 20;
constexpr int kUpgradesPerSecond = 20;
constexpr std::chrono::seconds kPatience(10);

double Micros(Steady::duration time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

Quantiles Of(std::vector<double> micros) {
  if (micros.empty()) return {};
  std::ranges::sort(micros);
  const auto at = [&](double share) {
    return micros[static_cast<size_t>(share * static_cast<double>(micros.size() - 1))];
  };
  return {.p50 = at(0.5), .p99 = at(0.99), .count = micros.size()};
}

class OthersProcess {
 public:
  OthersProcess(const NodePorts& ports, const Others::Traffic& traffic)
      : ports_(ports),
        traffic_(traffic),
        message_(ClientText(std::string(traffic.message_bytes, 'x'))),
        stub_(v1::Router::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(ports.control),
                                                      grpc::InsecureChannelCredentials()))) {
    std::vector<uint16_t> local;
    for (uint32_t i = 0; i < Others::kMembers; ++i) {
      sockets_.push_back(std::make_unique<FrameSocket>(ports.gateway, "127.0.0.1"));
      Check(sockets_.back()->Upgrade("/ws"), "no upgrade");
      local.push_back(sockets_.back()->local_port());
    }
    OwnByPort(ports.control, local, "others");
    reader_ = std::thread([this] { ReadAll(); });
  }

  OthersReport Measure(Steady::duration time) {
    {
      absl::MutexLock lock(&mutex_);
      deliveries_.clear();
    }
    upgrades_.clear();
    failed_ = 0;
    const Steady::time_point begin = Steady::now();
    std::thread connects([&] {
      if (traffic_.upgrades) ConnectUntil(begin + time);
    });
    uint64_t pushes = 0;
    for (Steady::time_point due = begin; due < begin + time; ++pushes) {
      due = begin + pushes * std::chrono::microseconds(1'000'000) / Others::kPushesPerSecond;
      std::this_thread::sleep_until(due);
      Push(due);
      sockets_[pushes % sockets_.size()]->Send(message_);
    }
    connects.join();
    return Report(pushes * Others::kMembers);
  }

 private:
  void Push(Steady::time_point due) {
    struct Call {
      grpc::ClientContext context;
      v1::PushRequest request;
      v1::PushResponse response;
    };
    auto call = std::make_shared<Call>();
    std::string stamp = std::to_string(due.time_since_epoch().count());
    stamp.insert(0, kStampOctets - stamp.size(), '0');
    stamp.resize(traffic_.push_bytes, 'x');
    call->request.set_room("others");
    call->request.mutable_payload()->set_text(stamp);
    stub_->async()->Push(&call->context, &call->request, &call->response,
                         [this, call](const grpc::Status& status) {
                           if (!status.ok()) failed_.fetch_add(Others::kMembers);
                         });
  }

  void ConnectUntil(Steady::time_point end) {
    int number = 0;
    for (Steady::time_point due = Steady::now(); due < end;
         due += std::chrono::microseconds(1'000'000) / kUpgradesPerSecond) {
      std::this_thread::sleep_until(due);
      // Each from an address of its own, or their rate would be what is measured.
      FrameSocket socket(ports_.gateway, "127.0.1." + std::to_string(1 + number++ % 200));
      if (socket.Upgrade("/ws")) upgrades_.push_back(Micros(Steady::now() - due));
    }
  }

  void ReadAll() {
    const int events = epoll_create1(0);
    for (const auto& socket : sockets_) {
      (void)fcntl(socket->fd(), F_SETFL, O_NONBLOCK);
      epoll_event in = {.events = EPOLLIN, .data = {.ptr = socket.get()}};
      epoll_ctl(events, EPOLL_CTL_ADD, socket->fd(), &in);
    }
    for (;;) {
      epoll_event ready[64];
      const int count = epoll_wait(events, ready, 64, -1);
      for (int i = 0; i < count; ++i) {
        auto* socket = static_cast<FrameSocket*>(ready[i].data.ptr);
        Check(socket->Fill(), "one of the others was cut off");
        const Steady::time_point now = Steady::now();
        absl::MutexLock lock(&mutex_);
        for (std::string frame; socket->TakeMessage(frame);) {
          const Steady::time_point due{Steady::duration(std::stoll(frame.substr(0, kStampOctets)))};
          deliveries_.push_back(Micros(now - due));
          arrived_.Signal();
        }
      }
    }
  }

  // Behind the last of `wanted` frames, unless they do not come.
  OthersReport Report(uint64_t wanted) {
    const Steady::time_point end = Steady::now() + kPatience;
    absl::MutexLock lock(&mutex_);
    while (deliveries_.size() + failed_ < wanted && Steady::now() < end) {
      arrived_.WaitWithTimeout(&mutex_, absl::Milliseconds(10));
    }
    return {.delivery = Of(deliveries_),
            .upgrade = Of(upgrades_),
            .lost = wanted - std::min<uint64_t>(wanted, deliveries_.size())};
  }

  const NodePorts ports_;
  const Others::Traffic traffic_;
  const std::string message_;
  std::unique_ptr<v1::Router::Stub> stub_;
  std::vector<std::unique_ptr<FrameSocket>> sockets_;
  std::atomic<uint64_t> failed_ = 0;
  std::vector<double> upgrades_;
  absl::Mutex mutex_;
  absl::CondVar arrived_;
  std::vector<double> deliveries_;
  std::thread reader_;
};

void RunOthers(const NodePorts& ports, const Others::Traffic& traffic, int commands, int ready) {
  const sched_param priority = {.sched_priority = 1};
  (void)sched_setscheduler(0, SCHED_FIFO, &priority);
  OthersProcess others(ports, traffic);
  SayReady(ready);
  for (uint32_t milliseconds = 0; read(commands, &milliseconds, sizeof(milliseconds)) > 0;) {
    const OthersReport report = others.Measure(std::chrono::milliseconds(milliseconds));
    Check(write(ready, &report, sizeof(report)) == sizeof(report), "nobody wants the report");
  }
  _exit(0);  // the reader never ends
}

}  // namespace

Others::Pipe::Pipe() { Check(pipe2(ends, O_CLOEXEC) == 0, "pipe"); }
Others::Pipe::~Pipe() {
  close(ends[0]);
  close(ends[1]);
}

Others::Others(const NodePorts& ports, const Traffic& traffic)
    : child_(1, [&](int ready) { RunOthers(ports, traffic, commands_.ends[0], ready); }) {
  char set_up = 0;
  child_.Read(&set_up, 1);
}

OthersReport Others::Measure(uint32_t milliseconds, const std::function<void()>& meanwhile) {
  Check(write(commands_.ends[1], &milliseconds, sizeof(milliseconds)) > 0, "the others have gone");
  while (!child_.Readable(100)) meanwhile();
  OthersReport report{};
  child_.Read(&report, sizeof(report));
  return report;
}

void OwnByPort(uint16_t control, const std::vector<uint16_t>& local_ports,
               const std::string& room) {
  const auto stub = v1::Router::NewStub(grpc::CreateChannel("127.0.0.1:" + std::to_string(control),
                                                            grpc::InsecureChannelCredentials()));
  std::map<std::string, std::string> ids;  // by port
  v1::ConnectionsRequest request;
  request.set_count(1000);
  do {
    grpc::ClientContext context;
    v1::ConnectionsResponse page;
    const grpc::Status listed = stub->Connections(&context, request, &page);
    Check(listed.ok(), listed.error_message());
    for (const auto& row : page.connections()) {
      ids[row.peer().substr(row.peer().rfind(':') + 1)] = row.connection_id();
    }
    request.set_cursor(page.next_cursor());
  } while (!request.cursor().empty());
  for (const uint16_t port : local_ports) {
    const auto found = ids.find(std::to_string(port));
    Check(found != ids.end(), "a connection is not listed");
    v1::OwnRequest own;
    own.set_connection_id(found->second);
    own.set_client_id("of port " + found->first);
    own.add_rooms(room);
    v1::OwnResponse owned;
    grpc::ClientContext context;
    const grpc::Status status = stub->Own(&context, own, &owned);
    Check(status.ok(), status.error_message());
  }
}

}  // namespace wsrouter
