#ifndef WSROUTER_TESTS_SUPPORT_RECOVERY_FIXTURE_H_
#define WSROUTER_TESTS_SUPPORT_RECOVERY_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/client_protocol.h"
#include "core/namespaces.h"
#include "engine/memory_sessions.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/shard_fixture.h"

namespace wsrouter {

// Clients of wsrouter.v1.json in rooms that keep their last kHistorySize pushes: those whose names
// begin with "log". "log" keeps all, "log-asked" those that ask for it.
class RecoveryFixture : public testing::Test {
 protected:
  static constexpr uint32_t kHistorySize = 1000;

  static Limits WithHistory(Limits limits = {}) {
    limits.namespaces = std::make_shared<const Namespaces>(
        *Namespaces::Parse({"log history_size=1000 history_ttl=1h reliable=always",
                            "log-asked reliable=asked history_size=1000 history_ttl=1h"},
                           {}));
    return limits;
  }

  // A client that may join all rooms, with what it heard read away.
  FakeConnection& Client(ShardFixture& node, const std::string& name = "alice") {
    FakeConnection& client = node.Open(0, kClientProtocol);
    node.Do(node.IdOf(client), Own{.client = {name}, .may_join = {"*"}});
    TakeToken(node.Read(client));
    return client;
  }
  // Says it; what it leads to waits for Settle.
  static void Say(ShardFixture& node, FakeConnection& client, std::string_view frame) {
    node.shard(client.shard).OnMessage(client, Opcode::kText, std::string(frame));
  }
  static std::string JoinSince(const std::string& room, const Position& since,
                               std::string_view id = "1") {
    return fmt::format(
        R"({{"join":{{"id":"{}","room":"{}","since":{{"offset":"{}","epoch":"{}"}}}}}})", id, room,
        since.offset, since.epoch);
  }
  // Settles and reads until nothing comes any more.
  std::vector<std::string> Hear(ShardFixture& node, FakeConnection& client) {
    std::vector<std::string> all;
    for (;;) {
      node.Settle();
      node.Settle();  // what was due at the end of the last turn
      const std::vector<std::string> frames = node.Read(client);
      if (frames.empty()) return all;
      TakeToken(frames);
      for (const std::string& frame : frames) all.push_back(Short(frame));
    }
  }
  std::vector<std::string> HearJoin(ShardFixture& node, FakeConnection& client,
                                    const std::string& room, const Position& since) {
    Say(node, client, JoinSince(room, since));
    return Hear(node, client);
  }

  // A push that is kept. Its position.
  static Position Keep(ShardFixture& node, const std::string& room, std::string_view text) {
    Position position;
    wsrouter::Keep reliable;
    reliable.reliable = true;
    node.broker.Publish({.to = RoomName{room},
                         .action = Text(text),
                         .keep = std::make_shared<const wsrouter::Keep>(reliable)},
                        [&](const Receipt& receipt) { position = receipt.kept.position; });
    node.Settle();
    return position;
  }
  // Its socket ends.
  static void Lose(ShardFixture& node, FakeConnection& client) {
    node.shard(client.shard).OnClose(client, CloseCause::kConnectionLost, {.code = 1006});
    node.shard(client.shard).Discard(client);
    node.Settle();
  }
  // The client with the last token comes back on a new socket.
  FakeConnection& Resume(ShardFixture& node, uint16_t shard = 0) {
    std::optional<SessionRecord> record;
    sessions.Take(token, [&](auto taken) { record = *std::move(taken); });
    FakeConnection& client = node.connections().emplace_back();
    client.shard = shard;
    auto handshake = std::make_shared<Handshake>();
    handshake->path = "/ws";
    handshake->subprotocol = kClientProtocol;
    handshake->speaks = true;
    client.handshake = std::move(handshake);
    EXPECT_TRUE(record.has_value());
    if (record.has_value()) node.shard(shard).OnOpen(client, *record, token);
    node.Settle();
    return client;
  }

  // Alice, who has had the first of the room's two pushes and gets no answer from history yet.
  FakeConnection& Held(ShardFixture& node, const std::string& room = "log") {
    FakeConnection& alice = Client(node);
    since = Keep(node, room, "1");
    Keep(node, room, "2");
    node.history.keeps_back = true;
    Say(node, alice, JoinSince(room, since));
    node.Settle();
    return alice;
  }
  static void LetThrough(ShardFixture& node) {
    node.history.keeps_back = false;
    node.history.LetThrough();
  }
  // Alice, back after she had the first push to "log" and "lobby" and missed the second.
  FakeConnection& Back(ShardFixture& node) {
    FakeConnection& alice = Client(node);
    HearJoin(node, alice, "log", {});
    HearJoin(node, alice, "lobby", {});
    since = Keep(node, "log", "1");
    Hear(node, alice);
    Lose(node, alice);
    Keep(node, "log", "2");
    return Resume(node);
  }

  // "joined 3 yes", "msg 4 text", "msg text", "gap 2", "left", "error REASON".
  static std::string Short(const std::string& frame) {
    const auto json = nlohmann::json::parse(frame);
    const std::string kind = json.begin().key();
    const auto& body = json.begin().value();
    std::string text = kind;
    const auto add = [&](const std::string& more) { text += ' ' + more; };
    if (body.contains("since")) add(body["since"]["offset"]);
    if (body.contains("recovered")) add(body["recovered"] ? "yes" : "no");
    if (kind == "msg" && body.contains("offset")) add(body["offset"]);
    if (body.contains("text") && kind == "msg") add(body["text"]);
    if (body.contains("count")) add(std::to_string(body["count"].get<int>()));
    if (kind == "error") add(body["reason"]);
    return text;
  }

  MemorySessions sessions{{.server_id = "node-1", .incarnation = 0x6f2c9d0a51e7b384}};
  Position since;     // what she has had
  std::string token;  // of the last welcome that was read

 private:
  void TakeToken(const std::vector<std::string>& frames) {
    for (const std::string& frame : frames) {
      const auto json = nlohmann::json::parse(frame);
      if (json.contains("welcome")) token = json["welcome"].value("session", "");
    }
  }
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_RECOVERY_FIXTURE_H_
