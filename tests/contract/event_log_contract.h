#ifndef WSROUTER_TESTS_CONTRACT_EVENT_LOG_CONTRACT_H_
#define WSROUTER_TESTS_CONTRACT_EVENT_LOG_CONTRACT_H_

#include <string>
#include <utility>
#include <vector>

#include "tests/contract/awaiting.h"
#include "tests/contract/engines.h"
#include "tests/support/eventually.h"

namespace wsrouter {

// An engine whose log is on, and its questions with their answers awaited.
class EventLogContractTest : public EngineContractTest {
 protected:
  void StartLog(const EventLogOptions& options = {}) {
    EventLogOptions log = options;
    log.on = true;
    Start(EngineSetup{.log = log});
  }

  template <typename Answer, typename Call>
  absl::StatusOr<Answer> Ask(Call call) {
    Awaited<absl::StatusOr<Answer>> answer;
    call(answer.Take());
    return answer.Wait();
  }
  void Bind(uint64_t counter, const std::string& client,
            OnDuplicate on_duplicate = OnDuplicate::kAllow, const Labels& labels = {}) {
    EXPECT_TRUE(Ask<std::vector<ConnectionId>>([&](auto done) {
                  directory().Bind(Connection(counter), {client}, on_duplicate, labels,
                                   std::move(done));
                }).ok());
  }
  void Rebind(uint64_t previous, uint64_t counter, const std::string& client,
              const Labels& labels = {}) {
    EXPECT_TRUE(Ask<std::vector<ConnectionId>>([&](auto done) {
                  directory().Rebind(Connection(previous), Connection(counter), {client},
                                     OnDuplicate::kAllow, labels, std::move(done));
                }).ok());
  }
  void Join(const std::string& room, uint64_t counter, const std::string& client) {
    EXPECT_TRUE(Ask<JoinedRoom>([&](auto done) {
                  directory().Join({room}, Connection(counter), {client}, std::move(done));
                }).ok());
  }
  void Leave(const std::string& room, uint64_t counter, const std::string& client) {
    EXPECT_TRUE(Ask<RoomSize>([&](auto done) {
                  directory().Leave({room}, Connection(counter), {client}, std::move(done));
                }).ok());
  }
  void Close(uint64_t counter, const std::string& client, const std::vector<RoomName>& rooms = {}) {
    directory().Unbind(Connection(counter), {client}, rooms,
                       {.gone = true, .cause = CloseCause::kIdle, .code = 4040});
  }

  LogTaken TakeOnce(const LogConsumer& consumer, uint32_t count) {
    auto taken = Ask<LogTaken>([&](auto done) { log().Take(consumer, count, std::move(done)); });
    EXPECT_TRUE(taken.ok()) << taken.status();
    return taken.ok() ? *std::move(taken) : LogTaken{};
  }
  // Asks until `count` entries have come.
  std::vector<LogDelivery> Take(const LogConsumer& consumer, size_t count) {
    std::vector<LogDelivery> all;
    EXPECT_TRUE(Eventually([&] {
      for (LogDelivery& one :
           TakeOnce(consumer, static_cast<uint32_t>(count - all.size())).deliveries) {
        all.push_back(std::move(one));
      }
      return all.size() >= count;
    })) << all.size()
        << " of " << count;
    return all;
  }
  uint64_t Settle(const LogConsumer& consumer, const std::vector<LogDelivery>& deliveries,
                  std::optional<absl::Duration> again_after = std::nullopt) {
    std::vector<LogSettlement> settlements;
    for (const LogDelivery& one : deliveries) settlements.push_back({one.receipt, again_after});
    const auto settled = Ask<uint64_t>(
        [&](auto done) { log().Settle(consumer, std::move(settlements), std::move(done)); });
    EXPECT_TRUE(settled.ok()) << settled.status();
    return settled.value_or(0);
  }
  LogGroup Group(const std::string& name) {
    const auto groups = Ask<LogGroups>([&](auto done) { log().Groups(std::move(done)); });
    EXPECT_TRUE(groups.ok()) << groups.status();
    for (const LogGroup& group : groups->groups) {
      if (group.name == name) return group;
    }
    return {};
  }
  std::vector<DeadLetter> Dead(const std::string& group) {
    std::vector<DeadLetter> letters;
    std::string cursor;
    do {
      const auto page = Ask<DeadLettersPage>(
          [&](auto done) { log().DeadLetters(group, cursor, 2, std::move(done)); });
      EXPECT_TRUE(page.ok()) << page.status();
      for (const DeadLetter& letter : page->letters) letters.push_back(letter);
      cursor = page->next_cursor;
    } while (!cursor.empty());
    return letters;
  }
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_CONTRACT_EVENT_LOG_CONTRACT_H_
