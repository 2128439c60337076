#include "tests/support/shard_fixture.h"

#include "core/client_protocol.h"
#include "gtest/gtest.h"

namespace wsrouter {
namespace {

// The memory directory answers inside the call.
template <typename Value>
auto Into(Value& value) {
  return [&value](absl::StatusOr<Value> answer) { value = *std::move(answer); };
}

}  // namespace

Deliver Text(std::string_view payload) {
  return {.frame = Frame::Make(Opcode::kText, payload),
          .slow_consumer = std::nullopt,
          .except = nullptr};
}

ShardFixture::ShardFixture(const Limits& limits, uint16_t shards, Backend* backend,
                           Sessions* sessions)
    : stats_(node_, "test", clock.now.wall),
      memory_history_(limits.namespaces == nullptr ? Namespaces() : *limits.namespaces, {},
                      stats_.AddCounters(), clock),
      memory_broker_(node_, nullptr, &memory_history_),
      memory_directory_({.node = node_}, limits, clock),
      broker(memory_broker_),
      directory(memory_directory_),
      history(memory_history_),
      presence_(Presence::Make(limits.presence, directory, stats_.AddCounters())) {
  for (uint16_t index = 0; index < shards; ++index) {
    Loop& loop = loops_.emplace_back();
    loop.shard = std::make_unique<Shard>(Shard::Parts{.node = node_,
                                                      .index = index,
                                                      .limits = limits,
                                                      .broker = broker,
                                                      .directory = directory,
                                                      .events = events,
                                                      .backend = backend,
                                                      .transport = transport_,
                                                      .mailbox = loop.mailbox,
                                                      .counters = stats_.AddCounters(),
                                                      .gauges = stats_.AddGauges(),
                                                      .post = loop.tasks.Post(),
                                                      .sessions = sessions,
                                                      .history = &history,
                                                      .presence = presence_});
    loop.shard->Start();
  }
  Turn();
  Settle();
}

ShardFixture::~ShardFixture() {
  for (Loop& loop : loops_) loop.shard->Stop();
  broker.LetThrough();
  history.LetThrough();
  Settle();
  for (FakeConnection& connection : connections_) {
    EXPECT_TRUE(connection.closing);
    shard(connection.shard).OnGone(connection);
  }
  for (const AnswerPtr& answer : answers_) EXPECT_EQ(answer->times, 1) << "answers of an envelope";
  const Stats::Now gauges = Gauges();
  EXPECT_EQ(gauges.connections, 0u);
  EXPECT_EQ(gauges.owned, 0u);
  EXPECT_EQ(gauges.rooms, 0u);
  EXPECT_EQ(gauges.members, 0u);
  EXPECT_EQ(gauges.outbox_bytes, 0u);
  EXPECT_EQ(OnlineNow().connections, 0u);
  EXPECT_EQ(OnlineNow().clients, 0u);
  EXPECT_EQ(Total(Counter::kConnectionsOpened), Total(Counter::kConnectionsClosed));
  EXPECT_EQ(Total(Counter::kOwns), Total(Counter::kReleases));
  EXPECT_EQ(Total(Counter::kRoomJoins), Total(Counter::kRoomLeaves));
  RoomsPage rooms;
  directory.Rooms("", "", 1, Into(rooms));
  EXPECT_TRUE(rooms.rooms.empty());
}

FakeConnection& ShardFixture::Open(uint16_t shard_index, std::string_view subprotocol) {
  FakeConnection& connection = connections_.emplace_back();
  connection.shard = shard_index;
  auto handshake = std::make_shared<Handshake>();
  handshake->path = "/ws";
  handshake->peer = "192.0.2.1:4711";
  handshake->subprotocol = subprotocol;
  handshake->speaks = subprotocol == kClientProtocol;
  connection.handshake = std::move(handshake);
  shard(shard_index).OnOpen(connection);
  return connection;
}

void ShardFixture::Close(FakeConnection& connection, CloseCause cause) {
  shard(connection.shard).OnClose(connection, cause, {.code = 1000, .reason = ""});
}

std::vector<std::string> ShardFixture::Read(FakeConnection& connection) {
  EXPECT_TRUE(connection.outbox.empty() || connection.wants_write) << "nobody asked for a write";
  connection.wants_write = false;
  std::vector<std::string> payloads;
  for (const FrameRef& frame : connection.outbox.frames()) payloads.emplace_back(frame->payload());
  shard(connection.shard).OnSent(connection, connection.outbox.bytes());
  return payloads;
}

AnswerPtr ShardFixture::Publish(Topic to, Action action) {
  AnswerPtr answer = answers_.emplace_back(std::make_shared<Answer>());
  broker.Publish({.to = std::move(to), .action = std::move(action)}, [answer](Receipt receipt) {
    ++answer->times;
    answer->receipt = std::move(receipt);
  });
  return answer;
}

void ShardFixture::Settle() {
  size_t done = 1;
  while (done > 0) {
    done = 0;
    for (Loop& loop : loops_) {
      done += loop.mailbox.DeliverTo(*loop.shard);
      done += loop.tasks.RunAll();
      loop.shard->EndTurn();
      done += loop.tasks.size();
    }
  }
}

Receipt ShardFixture::Do(Topic to, Action action) {
  const AnswerPtr answer = Publish(std::move(to), std::move(action));
  Settle();
  EXPECT_EQ(answer->times, 1);
  return answer->receipt;
}

Receipt ShardFixture::Own(const FakeConnection& connection, std::string_view client,
                          const std::vector<std::string>& rooms) {
  wsrouter::Own own = {.client = {std::string(client)}};
  for (const std::string& room : rooms) own.rooms.push_back({room});
  return Do(IdOf(connection), std::move(own));
}

Receipt ShardFixture::Join(const FakeConnection& connection, const std::string& room) {
  return Do(IdOf(connection), wsrouter::Join{.rooms = {{room}}});
}

Receipt ShardFixture::Leave(const FakeConnection& connection, const std::string& room) {
  return Do(IdOf(connection), wsrouter::Leave{.rooms = {{room}}});
}

Receipt ShardFixture::Push(const std::string& room, std::string_view text) {
  return Do(RoomName{room}, Text(text));
}

FakeConnection& ShardFixture::Online(std::string_view client, const std::vector<std::string>& rooms,
                                     uint16_t shard_index) {
  FakeConnection& connection = Open(shard_index);
  EXPECT_TRUE(Own(connection, client, rooms).status.ok());
  return connection;
}

void ShardFixture::Pass(absl::Duration time) {
  clock.Advance(time);
  FireDeadlines();
}

void ShardFixture::FireDeadlines() {
  Turn();
  for (FakeConnection& connection : connections_) {
    if ((!connection.closing || connection.parked) && connection.deadline <= clock.now.uptime) {
      shard(connection.shard).OnDeadline(connection);
    }
  }
}

void ShardFixture::Turn() {
  for (Loop& loop : loops_) loop.shard->Turn(clock.now);
}

ConnectionId ShardFixture::IdOf(const FakeConnection& connection) const {
  return loops_[connection.shard].shard->IdOf(connection);
}

Stats::Now ShardFixture::Gauges() {
  for (Loop& loop : loops_) loop.shard->EndTurn();
  return stats_.Read();
}

OnlineCount ShardFixture::OnlineNow() {
  OnlineCount count;
  directory.Count(Into(count));
  return count;
}

RoomSize ShardFixture::SizeOf(const std::string& room) {
  RoomSize size;
  directory.Size({room}, Into(size));
  return size;
}

std::vector<ConnectionId> ShardFixture::ConnectionsOf(std::string_view client) {
  std::vector<ConnectionId> connections;
  directory.Client({std::string(client)}, Into(connections));
  return connections;
}

std::vector<MemberRow> ShardFixture::MembersOf(const std::string& room) {
  MembersPage page;
  directory.Members({room}, "", kPageMax, Into(page));
  return page.members;
}

}  // namespace wsrouter
