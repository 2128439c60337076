#ifndef WSROUTER_TESTS_SUPPORT_SHARD_RESUME_FIXTURE_H_
#define WSROUTER_TESTS_SUPPORT_SHARD_RESUME_FIXTURE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/client_protocol.h"
#include "engine/memory_sessions.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/shard_fixture.h"

namespace wsrouter {

inline constexpr absl::Duration kWindow = absl::Seconds(60);

// Clients that come back to a shard.
class ShardResumeTest : public testing::Test {
 protected:
  // Alice in the lobby, with the token that she got.
  FakeConnection& Alice(ShardFixture& node, OnDuplicate on_duplicate = OnDuplicate::kAllow) {
    FakeConnection& alice = node.Open(0, kClientProtocol);
    node.Do(node.IdOf(alice), Own{.client = {"alice"},
                                  .on_duplicate = on_duplicate,
                                  .rooms = {{"lobby"}},
                                  .labels = {{"device", "phone"}},
                                  .may_join = {"chess-*"}});
    token = TokenIn(node.Read(alice));
    node.events.events.clear();
    return alice;
  }
  static std::string TokenIn(const std::vector<std::string>& frames) {
    std::string found;
    for (const std::string& frame : frames) {
      const auto json = nlohmann::json::parse(frame);
      if (json.contains("welcome")) found = json["welcome"].value("session", "");
    }
    return found;
  }
  std::optional<SessionRecord> Take(const std::string& of) {
    std::optional<SessionRecord> record;
    sessions.Take(of, [&](auto taken) { record = *std::move(taken); });
    return record;
  }
  // Her socket ends.
  static void Lose(ShardFixture& node, FakeConnection& connection) {
    node.shard(connection.shard).OnClose(connection, CloseCause::kConnectionLost, {.code = 1006});
    node.shard(connection.shard).Discard(connection);
    node.Settle();
  }
  // The client comes back on a new socket, with what `token` was taken for. Begin: no more than
  // that; it is not admitted yet.
  FakeConnection& Begin(ShardFixture& node, const SessionRecord& record, uint16_t shard = 0) {
    FakeConnection& connection = node.connections().emplace_back();
    connection.shard = shard;
    auto handshake = std::make_shared<Handshake>();
    handshake->path = "/ws";
    handshake->subprotocol = kClientProtocol;
    handshake->speaks = true;
    connection.handshake = std::move(handshake);
    node.shard(shard).OnOpen(connection, record, token);
    return connection;
  }
  FakeConnection& Resume(ShardFixture& node, const SessionRecord& record, uint16_t shard = 0) {
    FakeConnection& connection = Begin(node, record, shard);
    node.Settle();
    return connection;
  }

  MemorySessions sessions{{.server_id = "node-1", .incarnation = 0x6f2c9d0a51e7b384}};
  std::string token;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_SHARD_RESUME_FIXTURE_H_
