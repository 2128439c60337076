#ifndef WSROUTER_TESTS_SUPPORT_DIRECTORY_NODE_H_
#define WSROUTER_TESTS_SUPPORT_DIRECTORY_NODE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/redis_directory.h"
#include "tests/contract/awaiting.h"
#include "tests/support/linked.h"
#include "tests/support/private_redis.h"

namespace wsrouter {

// A node as the directory in Redis sees it: a link, a directory, and its questions with their
// answers awaited. It has a lease when it is made.
class DirectoryNode {
 public:
  struct Options {
    std::string server_id = "a";
    uint64_t incarnation = 1;
    std::string prefix = "test";
    Limits limits = {};
    absl::Duration lease = absl::Seconds(60);
    absl::Duration gc_lease = absl::Seconds(5);
    RedisPatience patience = Patient();
  };

  DirectoryNode(const PrivateRedis& redis, const Options& options)
      : id_{.server_id = options.server_id, .incarnation = options.incarnation},
        linked_(redis.url(), options.patience),
        directory_({.prefix = options.prefix,
                    .self = {.node = id_,
                             .version = "1.2.3",
                             .started_at = absl::FromUnixMillis(1'700'000'000'123)},
                    .limits = options.limits,
                    .lease = options.lease,
                    .gc_lease = options.gc_lease},
                   linked_.link) {
    directory_.OnReaped([this](const std::vector<ReapedRow>& rows) {
      absl::MutexLock lock(&mutex_);
      reaped_.insert(reaped_.end(), rows.begin(), rows.end());
    });
    linked_.StartUp();
    EXPECT_TRUE(BeginRewrite().ok());
  }
  ~DirectoryNode() { linked_.link.Stop(); }

  RedisDirectory& directory() { return directory_; }
  RedisLink& link() { return linked_.link; }
  ConnectionId Connection(uint64_t counter) const { return {.node = id_, .counter = counter}; }
  std::vector<ReapedRow> reaped() const {
    absl::MutexLock lock(&mutex_);
    return reaped_;
  }

  // What a call that takes a callback answers.
  template <typename Answer, typename Call>
  absl::StatusOr<Answer> Ask(Call call) {
    Awaited<absl::StatusOr<Answer>> answer;
    call(answer.Take());
    return answer.Wait();
  }

  absl::StatusOr<std::vector<ConnectionId>> Bind(uint64_t counter, const std::string& client,
                                                 OnDuplicate on_duplicate = OnDuplicate::kAllow) {
    return Ask<std::vector<ConnectionId>>([&](auto done) {
      directory_.Bind(Connection(counter), {client}, on_duplicate, {}, std::move(done));
    });
  }
  void Unbind(uint64_t counter, const std::string& client,
              const std::vector<RoomName>& rooms = {}) {
    directory_.Unbind(Connection(counter), {client}, rooms, {.gone = true});
  }
  absl::StatusOr<JoinedRoom> Join(const std::string& room, uint64_t counter,
                                  const std::string& client) {
    return Ask<JoinedRoom>([&](auto done) {
      directory_.Join({room}, Connection(counter), {client}, std::move(done));
    });
  }
  absl::StatusOr<bool> Assert(uint64_t counter, const std::string& client,
                              OnDuplicate on_duplicate = OnDuplicate::kAllow,
                              const std::vector<RoomName>& rooms = {}) {
    return Ask<bool>([&](auto done) {
      directory_.Assert(Connection(counter), {client}, on_duplicate, {}, rooms, std::move(done));
    });
  }
  absl::StatusOr<std::vector<ConnectionId>> Client(const std::string& client) {
    return Ask<std::vector<ConnectionId>>(
        [&](auto done) { directory_.Client({client}, std::move(done)); });
  }
  absl::StatusOr<RoomSize> Size(const std::string& room) {
    return Ask<RoomSize>([&](auto done) { directory_.Size({room}, std::move(done)); });
  }
  absl::StatusOr<OnlineCount> Count() {
    return Ask<OnlineCount>([&](auto done) { directory_.Count(std::move(done)); });
  }
  absl::StatusOr<std::vector<NodeRow>> Nodes() {
    return Ask<std::vector<NodeRow>>([&](auto done) { directory_.Nodes(std::move(done)); });
  }
  absl::StatusOr<uint64_t> ReapStaleServers() {
    return Ask<uint64_t>([&](auto done) { directory_.ReapStaleServers(std::move(done)); });
  }
  // Whether the lease was still held.
  absl::StatusOr<bool> Heartbeat() {
    const auto lease = HeartbeatRows();
    if (!lease.ok()) return lease.status();
    return lease->held;
  }
  absl::StatusOr<RedisDirectory::Lease> HeartbeatRows() {
    return Ask<RedisDirectory::Lease>([&](auto done) { directory_.Heartbeat(std::move(done)); });
  }
  absl::StatusOr<bool> BeginRewrite() {
    return Ask<bool>([&](auto done) { directory_.BeginRewrite(std::move(done)); });
  }
  absl::StatusOr<uint64_t> FinishRewrite() {
    return Ask<uint64_t>([&](auto done) { directory_.FinishRewrite(std::move(done)); });
  }
  absl::StatusOr<uint64_t> Resign() {
    return Ask<uint64_t>([&](auto done) { directory_.Resign(std::move(done)); });
  }
  absl::StatusOr<uint64_t> Collect() {
    return Ask<uint64_t>([&](auto done) { directory_.Collect(std::move(done)); });
  }

 private:
  const NodeIdentity id_;
  mutable absl::Mutex mutex_;
  std::vector<ReapedRow> reaped_ ABSL_GUARDED_BY(mutex_);
  Linked linked_;
  RedisDirectory directory_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_DIRECTORY_NODE_H_
