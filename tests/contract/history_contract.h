#ifndef WSROUTER_TESTS_CONTRACT_HISTORY_CONTRACT_H_
#define WSROUTER_TESTS_CONTRACT_HISTORY_CONTRACT_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_join.h"
#include "tests/contract/awaiting.h"
#include "tests/contract/engines.h"

namespace wsrouter {

// Rooms that begin with "h:" keep 10 pushes, with "all:" those that do not ask for it, too, and
// with "short:" for 200 ms; others keep nothing.
class HistoryContractTest : public EngineContractTest {
 protected:
  static constexpr absl::Duration kShort = absl::Milliseconds(200);

  void SetUp() override { Start(Spaces()); }
  static EngineSetup Spaces() {
    return {.namespaces = *Namespaces::Parse(
                {"h: history_size=10 history_ttl=1h", "all: history_size=10 reliable=always",
                 "big: history_size=100", "short: history_size=10 history_ttl=200ms"},
                {}),
            .history = {.idempotency_window = kShort}};
  }

  Receipt Push(const std::string& room, std::string_view text, const Keep& keep,
               std::string from = "") {
    Awaited<Receipt> receipt;
    broker().Publish({.to = RoomName{room},
                      .action = Deliver{.frame = Frame::Make(Opcode::kText, text),
                                        .slow_consumer = {},
                                        .except = nullptr},
                      .from = {std::move(from)},
                      .keep = std::make_shared<const Keep>(keep)},
                     receipt.Take());
    return receipt.Wait();
  }
  Receipt PushPlain(const std::string& room, std::string_view text) {
    Awaited<Receipt> receipt;
    broker().Publish({.to = RoomName{room},
                      .action = Deliver{.frame = Frame::Make(Opcode::kText, text),
                                        .slow_consumer = {},
                                        .except = nullptr}},
                     receipt.Take());
    return receipt.Wait();
  }
  // A push that is to be kept; its position.
  Position Kept(const std::string& room, std::string_view text) {
    const Receipt receipt = Push(room, text, {.reliable = true});
    EXPECT_TRUE(receipt.status.ok()) << receipt.status;
    return receipt.kept.position;
  }

  absl::StatusOr<HistoryPage> Read(const std::string& room, const HistoryQuery& query) {
    Awaited<absl::StatusOr<HistoryPage>> page;
    history().Read({room}, query, page.Take());
    return page.Wait();
  }
  absl::StatusOr<HistoryTrimmed> Trim(const std::string& room, const HistoryTrim& trim) {
    Awaited<absl::StatusOr<HistoryTrimmed>> trimmed;
    history().Trim({room}, trim, trimmed.Take());
    return trimmed.Wait();
  }
  // The page's entries, "1:a 2:b".
  static std::string Texts(const absl::StatusOr<HistoryPage>& page) {
    if (!page.ok()) return page.status().ToString();
    return absl::StrJoin(page->entries, " ", [](std::string* out, const HistoryEntry& entry) {
      out->append(std::to_string(entry.offset) + ":" + std::string(entry.frame->payload()));
    });
  }
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_CONTRACT_HISTORY_CONTRACT_H_
