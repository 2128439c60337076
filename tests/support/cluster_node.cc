#include "tests/support/cluster_node.h"

#include <random>
#include <utility>

#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"
#include "tests/support/eventually.h"

namespace wsrouter {
namespace {

uint64_t DrawIncarnation() {
  std::random_device random;
  return (uint64_t{random()} << 32) | random();
}

template <typename Value, typename Ask>
absl::StatusOr<Value> Answered(Ask ask) {
  Awaited<absl::StatusOr<Value>> answer;
  ask(answer.Take());
  return answer.Wait();
}

}  // namespace

Deliver TextOf(std::string_view text) {
  return {.frame = Frame::Make(Opcode::kText, text), .slow_consumer = {}, .except = nullptr};
}

ClusterNode::ClusterNode(const Options& options)
    : limits_(options.limits),
      stats_({.server_id = options.server_id, .incarnation = DrawIncarnation()}, "test",
             clock_.Now().wall) {
  RedisEngine::Options engine;
  engine.address = options.address;
  engine.patience = options.patience;
  engine.prefix = options.prefix;
  engine.keys = options.keys;
  engine.heartbeat = options.heartbeat;
  engine.lease = options.lease;
  engine.gc_interval = options.gc_interval;
  engine.self = {.node = stats_.node(), .version = "test", .started_at = stats_.started_at()};
  engine.limits = options.limits;
  engine.namespaces = options.namespaces;
  engine.log = options.log;
  engine_ = std::make_unique<RedisEngine>(
      engine,
      RedisEngine::Parts{
          .events = events_, .stats = stats_, .counters = stats_.AddCounters(), .clock = clock_});
  engine_->Start();
  shard_ = std::make_unique<ShardHost>(ShardHost::Parts{.node = stats_.node(),
                                                        .limits = limits_,
                                                        .broker = engine_->broker(),
                                                        .directory = engine_->directory(),
                                                        .events = events_,
                                                        .stats = stats_});
}

ClusterNode::~ClusterNode() {
  shard_.reset();
  engine_->Stop(absl::Seconds(2));
}

void ClusterNode::AwaitUp() {
  ASSERT_TRUE(Eventually([this] { return engine_->up(); })) << id().server_id << " is not up";
}

void ClusterNode::AwaitDown() {
  ASSERT_TRUE(Eventually([this] { return !engine_->up(); })) << id().server_id << " is up";
}

void ClusterNode::Crash() { engine_->Stop(absl::ZeroDuration()); }

Receipt ClusterNode::Do(Topic to, Action action, Receipts receipts) {
  Awaited<Receipt> receipt;
  engine_->broker().Publish(
      {.to = std::move(to), .action = std::move(action), .receipts = receipts}, receipt.Take());
  return receipt.Wait();
}

Receipt ClusterNode::Push(const std::string& room, std::string_view text, Receipts receipts) {
  return Do(RoomName{room}, TextOf(text), receipts);
}

Receipt ClusterNode::Own(const ConnectionId& connection, std::string_view client,
                         const std::vector<std::string>& rooms, OnDuplicate on_duplicate) {
  wsrouter::Own own = {.client = {std::string(client)}, .on_duplicate = on_duplicate};
  for (const std::string& room : rooms) own.rooms.push_back({room});
  return Do(connection, std::move(own));
}

ConnectionId ClusterNode::Online(std::string_view client, const std::vector<std::string>& rooms) {
  ConnectionId id = shard_->Open();
  const Receipt owned = Own(id, client, rooms);
  EXPECT_TRUE(owned.status.ok()) << client << ": " << owned.status;
  return id;
}

std::vector<ConnectionId> ClusterNode::ConnectionsOf(std::string_view client) {
  const auto answer = Answered<std::vector<ConnectionId>>(
      [&](auto done) { engine_->directory().Client({std::string(client)}, std::move(done)); });
  EXPECT_TRUE(answer.ok()) << answer.status();
  return answer.value_or(std::vector<ConnectionId>{});
}

std::vector<std::string> ClusterNode::MembersOf(const std::string& room) {
  std::vector<std::string> members;
  std::string cursor;
  do {
    const auto page = Answered<MembersPage>([&](auto done) {
      engine_->directory().Members({room}, cursor, kPageMax, std::move(done));
    });
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) break;
    for (const MemberRow& row : page->members) members.push_back(row.client.value);
    cursor = page->next_cursor;
  } while (!cursor.empty());
  return members;
}

absl::StatusOr<OnlineCount> ClusterNode::Online() {
  return Answered<OnlineCount>([&](auto done) { engine_->directory().Count(std::move(done)); });
}

absl::StatusOr<std::vector<NodeRow>> ClusterNode::Nodes() {
  return Answered<std::vector<NodeRow>>(
      [&](auto done) { engine_->directory().Nodes(std::move(done)); });
}

}  // namespace wsrouter
