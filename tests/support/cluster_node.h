#ifndef WSROUTER_TESTS_SUPPORT_CLUSTER_NODE_H_
#define WSROUTER_TESTS_SUPPORT_CLUSTER_NODE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "core/event.h"
#include "core/stats.h"
#include "engine/redis_engine.h"
#include "tests/support/shard_host.h"

namespace wsrouter {

// What a cluster's nodes tell their watchers; any thread.
class SharedEvents final : public EventSink {
 public:
  bool Wants(size_t) const override { return true; }
  void Emit(Event event) override {
    absl::MutexLock lock(&mutex_);
    events_.push_back(std::move(event));
  }
  void EmitTo(uint64_t, Event) override {}
  std::vector<Event> All() const {
    absl::MutexLock lock(&mutex_);
    return events_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<Event> events_ ABSL_GUARDED_BY(mutex_);
};

// A whole node of a cluster but for its sockets and its gRPC: the Redis engine and one shard.
class ClusterNode {
 public:
  struct Options {
    RedisAddress address;
    std::string server_id = "node-1";
    std::string prefix = "test";
    std::vector<SealKey> keys = {};
    Limits limits = {};
    Namespaces namespaces = {};
    EventLogOptions log = {};
    RedisPatience patience = {.connect = absl::Milliseconds(1000),
                              .command = absl::Milliseconds(1000),
                              .silence = absl::Milliseconds(1500),
                              .backoff_min = absl::Milliseconds(10),
                              .backoff_max = absl::Milliseconds(100)};
    absl::Duration heartbeat = absl::Milliseconds(200);
    absl::Duration lease = absl::Milliseconds(1000);
    absl::Duration gc_interval = absl::Milliseconds(300);
  };

  explicit ClusterNode(const Options& options);
  ~ClusterNode();  // gives everything back, unless it has crashed
  ClusterNode(const ClusterNode&) = delete;

  ShardHost& shard() { return *shard_; }
  RedisEngine& engine() { return *engine_; }
  const NodeIdentity& id() const { return stats_.node(); }
  uint64_t Total(Counter counter) const { return stats_.Total(counter); }
  const SharedEvents& events() const { return events_; }

  // Until it is a part of the cluster; a failure where it does not become one.
  void AwaitUp();
  void AwaitDown();
  // As when the process is killed: nothing is given back, nobody is told.
  void Crash();

  // Blocks until the answer is there.
  Receipt Do(Topic to, Action action, Receipts receipts = Receipts::kRouted);
  Receipt Push(const std::string& room, std::string_view text,
               Receipts receipts = Receipts::kRouted);
  Receipt Own(const ConnectionId& connection, std::string_view client,
              const std::vector<std::string>& rooms = {},
              OnDuplicate on_duplicate = OnDuplicate::kAllow);
  // A client with one new connection of this node.
  ConnectionId Online(std::string_view client, const std::vector<std::string>& rooms = {});

  std::vector<ConnectionId> ConnectionsOf(std::string_view client);
  std::vector<std::string> MembersOf(const std::string& room);
  absl::StatusOr<OnlineCount> Online();
  absl::StatusOr<std::vector<NodeRow>> Nodes();

 private:
  const Limits limits_;
  const SystemClock clock_;
  Stats stats_;
  SharedEvents events_;
  std::unique_ptr<RedisEngine> engine_;
  std::unique_ptr<ShardHost> shard_;
};

// The texts that a connection got, without the Close.
Deliver TextOf(std::string_view text);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_CLUSTER_NODE_H_
