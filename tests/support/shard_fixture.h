#ifndef WSROUTER_TESTS_SUPPORT_SHARD_FIXTURE_H_
#define WSROUTER_TESTS_SUPPORT_SHARD_FIXTURE_H_

#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/stats.h"
#include "engine/memory_broker.h"
#include "engine/memory_directory.h"
#include "engine/memory_history.h"
#include "tests/support/fakes.h"
#include "tests/support/forgetful_directory.h"
#include "tests/support/hesitant_history.h"

namespace wsrouter {

// What became of one published envelope.
struct Answer {
  int times = 0;
  Receipt receipt;
};
using AnswerPtr = std::shared_ptr<Answer>;

// A node without sockets and threads: shards on the memory engine. Nothing that was published or
// asked happens before Settle, so a test can let something else come first.
//
// Its destructor closes everything and checks what must hold at every node's end: each envelope
// was answered exactly once, the gauges are zero and the directory is empty.
class ShardFixture {
 public:
  explicit ShardFixture(const Limits& limits = {}, uint16_t shards = 1, Backend* backend = nullptr,
                        Sessions* sessions = nullptr);
  ~ShardFixture();

  FakeConnection& Open(uint16_t shard = 0, std::string_view subprotocol = "");
  // The client's end: it closes, or its socket breaks.
  void Close(FakeConnection& connection, CloseCause cause = CloseCause::kClientClosed);
  // Writes what the socket would take: the payloads, oldest first.
  std::vector<std::string> Read(FakeConnection& connection);

  AnswerPtr Publish(Topic to, Action action);
  // Lets mailboxes and tasks run until nothing is left to do.
  void Settle();

  // One shard alone: takes what its mailbox holds, or runs its tasks.
  void TakeMail(uint16_t index = 0) { loops_[index].mailbox.DeliverTo(shard(index)); }
  void RunTasks(uint16_t index = 0) { loops_[index].tasks.RunAll(); }

  // These settle and return the receipt.
  Receipt Do(Topic to, Action action);
  Receipt Own(const FakeConnection& connection, std::string_view client,
              const std::vector<std::string>& rooms = {});
  Receipt Join(const FakeConnection& connection, const std::string& room);
  Receipt Leave(const FakeConnection& connection, const std::string& room);
  Receipt Push(const std::string& room, std::string_view text);
  // A client with one new connection.
  FakeConnection& Online(std::string_view client, const std::vector<std::string>& rooms = {},
                         uint16_t shard = 0);

  // Moves the time and fires every deadline that is due.
  void Pass(absl::Duration time);
  void FireDeadlines();
  // The start of a loop turn of every shard at the clock's present time.
  void Turn();

  ConnectionId IdOf(const FakeConnection& connection) const;
  Shard& shard(uint16_t index) { return *loops_[index].shard; }
  HeldMailbox& mailbox(uint16_t index = 0) { return loops_[index].mailbox; }
  uint64_t Total(Counter counter) const { return stats_.Total(counter); }
  Stats::Now Gauges();
  OnlineCount OnlineNow();
  RoomSize SizeOf(const std::string& room);
  std::vector<ConnectionId> ConnectionsOf(std::string_view client);
  std::vector<MemberRow> MembersOf(const std::string& room);
  std::list<FakeConnection>& connections() { return connections_; }

  ManualClock clock;
  RecordingEvents events;

 private:
  struct Loop {
    ManualTasks tasks;
    HeldMailbox mailbox;
    std::unique_ptr<Shard> shard;
  };

  const NodeIdentity node_ = {.server_id = "node-1", .incarnation = 0x6f2c9d0a51e7b384};
  Stats stats_;
  RecordingTransport transport_;
  MemoryHistory memory_history_;  // of the rooms that the limits' namespaces say
  MemoryBroker memory_broker_;
  MemoryDirectory memory_directory_;

 public:
  HesitantBroker broker;
  ForgetfulDirectory directory;
  HesitantHistory history;

 private:
  std::shared_ptr<Presence> presence_;
  std::deque<Loop> loops_;
  std::list<FakeConnection> connections_;
  std::vector<AnswerPtr> answers_;
};

Deliver Text(std::string_view payload);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_SHARD_FIXTURE_H_
