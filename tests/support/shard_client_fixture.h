#ifndef WSROUTER_TESTS_SUPPORT_SHARD_CLIENT_FIXTURE_H_
#define WSROUTER_TESTS_SUPPORT_SHARD_CLIENT_FIXTURE_H_

#include <string>
#include <utility>
#include <vector>

#include "core/client_protocol.h"
#include "gtest/gtest.h"
#include "tests/support/fake_backend.h"
#include "tests/support/shard_fixture.h"

namespace wsrouter {

inline constexpr char kJoinLobby[] = R"({"join":{"id":"1","room":"lobby"}})";
inline constexpr char kJoinedLobby[] = R"({"joined":{"id":"1","room":"lobby"}})";

// Clients that speak wsrouter.v1.json at a shard.
class ShardClientTest : public testing::Test {
 protected:
  // As alice, with what she heard read away.
  FakeConnection& Alice(ShardFixture& node, std::vector<std::string> may_join = {}) {
    FakeConnection& alice = node.Open(0, kClientProtocol);
    node.Do(node.IdOf(alice), Own{.client = {"alice"}, .may_join = std::move(may_join)});
    node.Read(alice);
    return alice;
  }
  // What she hears when she says `frame`.
  std::vector<std::string> Say(ShardFixture& node, FakeConnection& connection,
                               const std::string& frame) {
    node.shard(0).OnMessage(connection, Opcode::kText, frame);
    node.Settle();
    return node.Read(connection);
  }

  FakeBackend backend;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_SHARD_CLIENT_FIXTURE_H_
