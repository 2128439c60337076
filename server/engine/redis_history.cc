#include "engine/redis_history.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "engine/envelope_codec.h"
#include "engine/redis_answer.h"
#include "engine/redis_keys.h"
#include "engine/redis_scripts.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr size_t kHeadElements = 4;  // of the answer, before the entries

std::string_view TextAt(const RedisValue& answer, size_t index) {
  return index < answer.array().size() ? std::string_view(answer.array()[index].text()) : "";
}

// A script's failure as the seam's.
absl::Status FailureOf(const absl::Status& status) {
  return absl::IsUnavailable(status) ? HistoryUnavailable(StdView(status.message())) : status;
}

}  // namespace

RedisHistory::RedisHistory(std::string_view prefix, const std::vector<SealKey>& keys,
                           Namespaces namespaces, const HistoryLimits& limits, RedisLink& link,
                           Counters& counters)
    : root_(RedisRoot(prefix)),
      topics_prefix_(RedisTopics(prefix)),
      rules_(std::move(namespaces)),
      limits_(limits),
      link_(link),
      counters_(counters),
      seal_({}, keys, absl::InfiniteDuration()) {}

void RedisHistory::Read(const RoomName& room, const HistoryQuery& query, Done<HistoryPage> done) {
  const absl::StatusOr<HistoryOptions> options = rules_.Of(room);
  if (!options.ok()) return std::move(done)(options.status());
  link_.Run(scripts::History(), {root_},
            {room.value, fmt::format("{}", query.since.offset), query.since.epoch,
             fmt::format("{}", query.limit), query.reverse ? "1" : "0",
             fmt::format("{}", kHistoryPageBytesMax),
             fmt::format("{}", absl::ToInt64Milliseconds(options->ttl)), fmt::format("{}", seen())},
            [this, room, query,
             done = std::move(done)](const absl::StatusOr<RedisValue>& answer) mutable {
              if (!answer.ok()) return std::move(done)(FailureOf(answer.status()));
              std::move(done)(ReadPage(room, query, *answer));
            });
}

HistoryPage RedisHistory::ReadPage(const RoomName& room, const HistoryQuery& query,
                                   const RedisValue& answer) {
  HistoryPage page;
  page.top = {.offset = NumberAt(answer, 0), .epoch = std::string(TextAt(answer, 1))};
  const uint64_t first = NumberAt(answer, 2);
  Saw(NumberAt(answer, 3));
  const uint64_t before_first = first > 0 ? first - 1 : page.top.offset;
  const bool same = query.since.epoch.empty() || query.since.epoch == page.top.epoch;
  const uint64_t since = same ? query.since.offset : 0;
  page.recovered = same && (query.reverse || (since >= before_first && since <= page.top.offset));
  const std::string channel = topics_prefix_ + KeyOf(room);
  for (size_t i = kHeadElements; i + 1 < answer.array().size(); i += 2) {
    if (!AddEntry(channel, TextAt(answer, i), TextAt(answer, i + 1), page)) page.recovered = false;
  }
  if (page.entries.empty()) return page;
  const uint64_t last = page.entries.back().offset;
  page.more = query.reverse ? last > first : last < page.top.offset;
  return page;
}

bool RedisHistory::AddEntry(std::string_view channel, std::string_view id, std::string_view message,
                            HistoryPage& page) {
  const size_t dash = std::min(id.find('-'), id.size());
  uint64_t offset = 0;
  int64_t milliseconds = 0;
  const bool placed =
      absl::SimpleAtoi(AbslView(id.substr(0, dash)), &offset) &&
      absl::SimpleAtoi(AbslView(id.substr(std::min(dash + 1, id.size()))), &milliseconds);
  const auto body = seal_.OpenKept(channel, message);
  if (!placed || !body.ok() || !body->starts_with(kSealedEnvelope)) {
    counters_.Add(Counter::kHmacVerifyFailures);
    return false;
  }
  auto wire = DecodeEnvelope(body->substr(1));
  auto* deliver = wire.ok() ? std::get_if<Deliver>(&wire->envelope.action) : nullptr;
  if (deliver == nullptr) {
    counters_.Add(Counter::kEnvelopesUndecodable);
    return false;
  }
  page.entries.push_back({.offset = offset,
                          .sent_at = absl::FromUnixMillis(milliseconds),
                          .from = std::move(wire->envelope.from),
                          .frame = std::move(deliver->frame),
                          .except = std::move(deliver->except)});
  return true;
}

void RedisHistory::Trim(const RoomName& room, const HistoryTrim& trim, Done<HistoryTrimmed> done) {
  const absl::StatusOr<HistoryOptions> options = rules_.Of(room);
  if (!options.ok()) return std::move(done)(options.status());
  const bool keeps = trim.keep.has_value();
  link_.Run(scripts::TrimHistory(), {root_},
            {room.value, keeps ? "keep" : "behind",
             fmt::format("{}", keeps ? *trim.keep : trim.up_to_offset.value_or(0)),
             fmt::format("{}", seen())},
            [done = std::move(done)](const absl::StatusOr<RedisValue>& answer) mutable {
              if (!answer.ok()) return std::move(done)(FailureOf(answer.status()));
              std::move(done)(HistoryTrimmed{.removed = NumberAt(*answer, 0),
                                             .top = {.offset = NumberAt(*answer, 1),
                                                     .epoch = std::string(TextAt(*answer, 2))}});
            });
}

void RedisHistory::Check(absl::AnyInvocable<void(absl::Status) &&> done) {
  link_.Run(scripts::CheckHistory(), {root_}, {fmt::format("{}", seen())},
            [this, done = std::move(done)](const absl::StatusOr<RedisValue>& kept) mutable {
              if (kept.ok()) Saw(static_cast<uint64_t>(kept->integer()));
              std::move(done)(kept.status());
            });
}

}  // namespace wsrouter
