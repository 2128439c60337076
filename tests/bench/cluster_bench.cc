// What a cluster costs: two nodes (without sockets and gRPC) and one private Redis on this machine.
//
// Prints: the time from Publish at node A until the envelope is at a subscriber of node B, at a low
// and at a high rate; pushes a second through one Redis; Own and Join; how long a node needs to
// write its rows again.

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "tests/support/cluster_node.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis.h"

namespace wsrouter {
namespace {

using Latencies = std::vector<absl::Duration>;

// A subscriber that notes when each envelope comes.
class Arrivals final : public Subscriber {
 public:
  void Take(std::shared_ptr<const Envelope>, ReceiptPart part) override {
    const absl::Time now = absl::Now();
    absl::MutexLock lock(&mutex_);
    times_.push_back(now);
    part.Finish({.matched = 1, .queued = 1});
  }
  std::vector<absl::Time> Times() const {
    absl::MutexLock lock(&mutex_);
    return times_;
  }
  size_t size() const {
    absl::MutexLock lock(&mutex_);
    return times_.size();
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<absl::Time> times_ ABSL_GUARDED_BY(mutex_);
};

ClusterNode::Options OptionsOf(const PrivateRedis& redis, const std::string& server_id) {
  ClusterNode::Options options;
  options.address = ParseRedisUrl(redis.url()).value();
  options.server_id = server_id;
  options.heartbeat = absl::Seconds(3);
  options.lease = absl::Seconds(30);
  return options;
}

void Print(const char* what, Latencies latencies) {
  std::ranges::sort(latencies);
  const auto at = [&](double share) {
    const auto place = static_cast<size_t>(share * static_cast<double>(latencies.size() - 1));
    return absl::ToDoubleMicroseconds(latencies[place]);
  };
  std::printf("%-44s min %5.0f us   p50 %7.0f us   p99 %7.0f us\n", what, at(0), at(0.5), at(0.99));
}

// `rate` pushes a second for `count` pushes, each timed from its Publish.
Latencies CrossNode(ClusterNode& from, ClusterNode& to, int rate, size_t count) {
  const RoomName room = {"bench-" + std::to_string(rate)};
  Arrivals arrivals;
  absl::Notification live;
  to.engine().broker().Subscribe(arrivals, room, [&](absl::Status) { live.Notify(); });
  live.WaitForNotification();
  std::vector<absl::Time> sent;
  const absl::Time begin = absl::Now();
  while (sent.size() < count) {
    const absl::Time due = begin + absl::Seconds(static_cast<double>(sent.size()) / rate);
    while (absl::Now() < due) {
    }
    sent.push_back(absl::Now());
    from.engine().broker().Publish(
        {.to = room, .action = TextOf(std::string(128, 'x')), .receipts = Receipts::kLocal},
        [](Receipt) {});
  }
  if (!Eventually([&] { return arrivals.size() == count; })) std::printf("some were lost\n");
  to.engine().broker().Unsubscribe(arrivals, room);
  const std::vector<absl::Time> came = arrivals.Times();
  Latencies latencies;
  for (size_t i = 0; i < came.size(); ++i) latencies.push_back(came[i] - sent[i]);
  return latencies;
}

// Calls `ask(i, done)` for `count` numbers with at most `in_flight` unanswered; the time of it all.
template <typename Ask>
absl::Duration Pipelined(size_t count, size_t in_flight, Ask ask) {
  const absl::Time begin = absl::Now();
  for (size_t first = 0; first < count; first += in_flight) {
    const size_t size = std::min(in_flight, count - first);
    absl::BlockingCounter answers(static_cast<int>(size));
    for (size_t i = first; i < first + size; ++i) {
      ask(i, [&answers](auto&&) { answers.DecrementCount(); });
    }
    answers.Wait();
  }
  return absl::Now() - begin;
}

void Rates(ClusterNode& node) {
  constexpr size_t kPushes = 200'000;
  const absl::Duration pushes = Pipelined(kPushes, 1000, [&](size_t, auto done) {
    node.engine().broker().Publish({.to = RoomName{"nobody"},
                                    .action = TextOf(std::string(128, 'x')),
                                    .receipts = Receipts::kLocal},
                                   std::move(done));
  });
  std::printf("%-44s %.0f\n", "pushes a second through one Redis",
              kPushes / absl::ToDoubleSeconds(pushes));
  const auto id = [&](size_t i) {
    return ConnectionId{.node = node.id(), .shard = 9, .counter = i + 1};
  };
  const auto client = [](size_t i) { return ClientId{"b" + std::to_string(i)}; };
  for (const size_t in_flight : {size_t{1}, size_t{100}}) {
    const size_t count = in_flight == 1 ? 2000 : 20'000;
    const size_t base = in_flight * 100'000;
    const absl::Duration binds = Pipelined(count, in_flight, [&](size_t i, auto done) {
      node.engine().directory().Bind(id(base + i), client(base + i), OnDuplicate::kAllow, {},
                                     std::move(done));
    });
    const absl::Duration joins = Pipelined(count, in_flight, [&](size_t i, auto done) {
      node.engine().directory().Join({"room"}, id(base + i), client(base + i), std::move(done));
    });
    std::printf("Own, Join with %3zu in flight                  %7.1f us %7.1f us\n", in_flight,
                absl::ToDoubleMicroseconds(binds / static_cast<int64_t>(count)),
                absl::ToDoubleMicroseconds(joins / static_cast<int64_t>(count)));
  }
}

// Half of the rows are clients, half memberships.
void Rebuild(PrivateRedis& redis) {
  constexpr size_t kClients = 25'000;
  ClusterNode node(OptionsOf(redis, "rebuilt"));
  node.AwaitUp();
  for (size_t i = 0; i < kClients; ++i) node.Online("r" + std::to_string(i), {"lobby"});
  redis.Kill();
  node.AwaitDown();
  redis.Start();
  const absl::Time begin = absl::Now();
  node.AwaitUp();
  std::printf("%-44s %.2f s\n", "50,000 rows written again, with reconnecting",
              absl::ToDoubleSeconds(absl::Now() - begin));
}

}  // namespace
}  // namespace wsrouter

int main() {
  using namespace wsrouter;  // NOLINT: this is a program
  PrivateRedis redis;
  {
    ClusterNode a(OptionsOf(redis, "a"));
    ClusterNode b(OptionsOf(redis, "b"));
    a.AwaitUp();
    b.AwaitUp();
    Print("push at A to a member at B, 1,000 a second", CrossNode(a, b, 1000, 5000));
    Print("push at A to a member at B, 20,000 a second", CrossNode(a, b, 20'000, 100'000));
    Rates(a);
  }
  Rebuild(redis);
}
