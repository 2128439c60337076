#include <atomic>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "engine/session_token.h"
#include "gmock/gmock.h"
#include "tests/contract/awaiting.h"
#include "tests/contract/engines.h"

namespace wsrouter {
namespace {

class SessionsContractTest : public EngineContractTest {
 protected:
  void SetUp() override { Start(); }

  SessionRecord Record(const std::string& client) const {
    return {.connection = Connection(7),
            .path = "/ws",
            .own = {.client = {client},
                    .on_duplicate = OnDuplicate::kReject,
                    .rooms = {{"lobby"}, {"chess"}},
                    .labels = {{"device", "phone"}},
                    .expires_at = absl::FromUnixSeconds(1'900'000'000),
                    .may_join = {"chess-*"}}};
  }
  std::optional<SessionRecord> Take(const std::string& token) {
    Awaited<absl::StatusOr<std::optional<SessionRecord>>> taken;
    sessions().Take(token, taken.Take());
    const auto record = taken.Wait();
    EXPECT_TRUE(record.ok()) << record.status();
    return record.value_or(std::nullopt);
  }
};

TEST_P(SessionsContractTest, WhatIsTakenIsWhatWasPutLast) {
  const std::string token = sessions().NewToken();
  sessions().Put(token, Record("alice"));
  sessions().Put(token, Record("bob"));
  const auto taken = Take(token);
  ASSERT_TRUE(taken.has_value());
  const SessionRecord expected = Record("bob");
  EXPECT_EQ(taken->connection, expected.connection);
  EXPECT_EQ(taken->path, "/ws");
  EXPECT_EQ(taken->own.client, expected.own.client);
  EXPECT_EQ(taken->own.on_duplicate, OnDuplicate::kReject);
  EXPECT_EQ(taken->own.rooms, expected.own.rooms);
  EXPECT_EQ(taken->own.labels, expected.own.labels);
  EXPECT_EQ(taken->own.expires_at, expected.own.expires_at);
  EXPECT_EQ(taken->own.may_join, expected.own.may_join);
  EXPECT_FALSE(Take(token).has_value()) << "a token is good once";
}

TEST_P(SessionsContractTest, WhatIsErasedIsGoneAndOthersStay) {
  const std::string alice = sessions().NewToken();
  const std::string bob = sessions().NewToken();
  sessions().Put(alice, Record("alice"));
  sessions().Put(bob, Record("bob"));
  sessions().Erase(alice, Record("alice").connection);
  EXPECT_FALSE(Take(alice).has_value());
  EXPECT_TRUE(Take(bob).has_value());
}

TEST_P(SessionsContractTest, WhatAnotherConnectionHasPutIsNotErased) {
  for (const std::string& token :
       {sessions().NewToken(), MakeSessionToken({.server_id = "another", .incarnation = 9})}) {
    sessions().Put(token, Record("alice"));
    for (const uint64_t other : {1, 8, 70, 700'000}) sessions().Erase(token, Connection(other));
    const auto taken = Take(token);
    ASSERT_TRUE(taken.has_value());
    SessionRecord moved = *taken;
    moved.connection = Connection(8);
    sessions().Put(token, moved);
    sessions().Erase(token, Connection(7));
    EXPECT_TRUE(Take(token).has_value());
    sessions().Put(token, moved);
    sessions().Erase(token, Connection(8));
    EXPECT_FALSE(Take(token).has_value());
  }
}

TEST_P(SessionsContractTest, ATokenOfAnotherNodeLeadsToWhatItWasUsedForLast) {
  const std::string token = MakeSessionToken({.server_id = "another", .incarnation = 9});
  EXPECT_FALSE(Take(token).has_value());
  sessions().Put(token, Record("alice"));
  sessions().Put(token, Record("bob"));
  const auto taken = Take(token);
  ASSERT_TRUE(taken.has_value());
  EXPECT_EQ(taken->own.client.value, "bob");
  EXPECT_FALSE(Take(token).has_value());
}

TEST_P(SessionsContractTest, WhatIsNoTokenTakesNothing) {
  const std::string token = sessions().NewToken();
  sessions().Put(token, Record("alice"));
  std::string near;
  ASSERT_TRUE(absl::WebSafeBase64Unescape(token, &near));
  near[0] ^= 1;
  for (const std::string& wrong : {std::string(), std::string("x"), std::string("*"),
                                   std::string(5000, 'A'), absl::WebSafeBase64Escape(near)}) {
    EXPECT_FALSE(Take(wrong).has_value()) << wrong;
  }
  EXPECT_TRUE(Take(token).has_value());
}

TEST_P(SessionsContractTest, TokensAreTextForAHeaderAndNeverTheSame) {
  absl::flat_hash_set<std::string> tokens;
  for (int i = 0; i < 1000; ++i) {
    const std::string token = sessions().NewToken();
    EXPECT_THAT(token, testing::MatchesRegex("[A-Za-z0-9_-]+"));
    EXPECT_GE(token.size(), 32u);
    EXPECT_TRUE(tokens.insert(token).second);
  }
}

TEST_P(SessionsContractTest, OfAHundredTakersOneGetsIt) {
  for (int round = 0; round < 20; ++round) {
    const std::string token = sessions().NewToken();
    sessions().Put(token, Record("alice"));
    std::atomic<int> got = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int take = 0; take < 25; ++take) {
          if (Take(token).has_value()) ++got;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(got, 1);
  }
}

INSTANTIATE_TEST_SUITE_P(Engines, SessionsContractTest, testing::ValuesIn(EngineKinds()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace wsrouter
