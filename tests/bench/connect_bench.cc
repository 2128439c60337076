// What others notice while ten thousand clients wait for a service that takes 20 ms for each: the
// time of a Ping and its Pong on another connection of the same shard.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/unique_fd.h"
#include "core/backend.h"
#include "tests/bench/bench_gateway.h"
#include "tests/support/wire.h"

namespace wsrouter {
namespace {

constexpr int kThreads = 4;
constexpr int kInFlight = 125;  // of a thread
constexpr int kRounds = 20;
constexpr absl::Duration kThinking = absl::Milliseconds(20);

// Lets everybody in, each kThinking after it asked.
class SlowService final : public Backend {
 public:
  SlowService() : thread_([this] { Main(); }) {}
  ~SlowService() override {
    {
      absl::MutexLock lock(&mutex_);
      end_ = true;
      changed_.Signal();
    }
    thread_.join();
  }

  bool Decides(std::string_view path) const override { return path == "/ws"; }
  Ticket Connect(ConnectQuestion question,
                 absl::AnyInvocable<void(ConnectAnswer) &&> done) override {
    Own own = {.client = {question.connection.ToString()}, .rooms = {{"lobby"}}};
    absl::MutexLock lock(&mutex_);
    due_.push_back({clock_.Now().uptime + kThinking, std::move(own), std::move(done)});
    changed_.Signal();
    return ++asked_;
  }
  bool Hears(std::string_view) const override { return false; }
  Ticket Message(MessageQuestion, absl::AnyInvocable<void(MessageAnswer) &&>) override { return 0; }
  bool ChecksJoins(std::string_view) const override { return false; }
  Ticket JoinCheck(JoinQuestion, absl::AnyInvocable<void(absl::Status) &&>) override { return 0; }
  void Cancel(Ticket) override {}
  void Disconnected(const Event&, const Handshake&) override {}

 private:
  struct Due {
    absl::Duration at;
    Own own;
    absl::AnyInvocable<void(ConnectAnswer) &&> done;
  };

  void Main() {
    absl::MutexLock lock(&mutex_);
    while (!end_) {
      const absl::Duration now = clock_.Now().uptime;
      if (due_.empty() || due_.front().at > now) {
        changed_.WaitWithTimeout(&mutex_, due_.empty() ? kThinking : due_.front().at - now);
        continue;
      }
      Due due = std::move(due_.front());
      due_.pop_front();
      std::move(due.done)(Admission{.own = std::move(due.own), .greetings = {}, .subprotocol = {}});
    }
  }

  const SystemClock clock_;
  absl::Mutex mutex_;
  absl::CondVar changed_;
  std::deque<Due> due_ ABSL_GUARDED_BY(mutex_);
  Ticket asked_ ABSL_GUARDED_BY(mutex_) = 0;
  bool end_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

UniqueFd Open(uint16_t port, std::string_view target) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  const std::string request = UpgradeRequest(target);
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)) != 0 ||
      send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    perror("connect");
    exit(1);
  }
  return fd;
}

void AwaitUpgrade(const UniqueFd& fd) {
  char head[512];
  const ssize_t size = recv(fd.get(), head, sizeof(head), 0);
  if (size > 12 && std::string_view(head, 12) == "HTTP/1.1 101") return;
  fprintf(stderr, "no 101\n");
  exit(1);
}

// Pings until `stop`; microseconds, sorted.
std::vector<double> Probe(uint16_t port, const std::atomic<bool>& stop) {
  const SystemClock clock;
  const UniqueFd fd = Open(port, "/echo");
  AwaitUpgrade(fd);
  const std::string ping = ClientPing("x");
  std::vector<double> times;
  while (!stop) {
    const absl::Duration begin = clock.Now().uptime;
    char pong[3];
    if (send(fd.get(), ping.data(), ping.size(), 0) < 0 ||
        recv(fd.get(), pong, sizeof(pong), MSG_WAITALL) != sizeof(pong)) {
      perror("probe");
      exit(1);
    }
    times.push_back(absl::ToDoubleMicroseconds(clock.Now().uptime - begin));
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::ranges::sort(times);
  return times;
}

void Connect(uint16_t port) {
  for (int round = 0; round < kRounds; ++round) {
    std::vector<UniqueFd> sockets;
    for (int i = 0; i < kInFlight; ++i) sockets.push_back(Open(port, "/ws"));
    for (const UniqueFd& socket : sockets) AwaitUpgrade(socket);
  }
}

void Run() {
  SlowService service;
  BenchGateway server(&service);
  std::atomic<bool> stop{false};
  std::vector<double> times;
  const Histogram::Reading turns = server.measures().Read(Measure::kTurn);
  std::thread probe([&] { times = Probe(server.port(), stop); });
  const SystemClock clock;
  const absl::Duration begin = clock.Now().uptime;
  std::vector<std::thread> clients;
  for (int i = 0; i < kThreads; ++i) clients.emplace_back([&] { Connect(server.port()); });
  for (std::thread& client : clients) client.join();
  const double seconds = absl::ToDoubleSeconds(clock.Now().uptime - begin);
  const double turn =
      QuantileBound(Measure::kTurn, turns, server.measures().Read(Measure::kTurn), 0.99);
  stop = true;
  probe.join();
  const auto at = [&](double part) {
    return times[static_cast<size_t>(part * static_cast<double>(times.size() - 1))];
  };
  const int all = kThreads * kInFlight * kRounds;
  printf(
      "connects  %d behind a service of 20 ms, %d in flight  %.0f a second  "
      "loop turn p99 <= %.0f us  Ping to Pong meanwhile p50 %.0f us  p99 %.0f us  max %.0f us\n",
      all, kThreads * kInFlight, all / seconds, 1e6 * turn, at(0.5), at(0.99), times.back());
}

}  // namespace
}  // namespace wsrouter

int main() { wsrouter::Run(); }
