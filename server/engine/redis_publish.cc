#include "engine/redis_publish.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "engine/rate_refusal.h"
#include "engine/redis_answer.h"
#include "engine/redis_scripts.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// What the script answers, and what it puts before a kept message; no seal begins with it.
enum Result : uint64_t { kSent, kClientLimit, kRoomLimit, kDuplicate, kStale };
constexpr char kKeptMark = '\2';

std::string Milliseconds(absl::Duration duration) {
  return fmt::format("{}", absl::ToInt64Milliseconds(duration));
}

void AddPart(const RateCharge::Part& part, std::vector<std::string>& words) {
  words.push_back(part.limit.on() ? part.log : "");
  words.push_back(fmt::format("{}", part.limit.n));
  words.push_back(fmt::format("{}", absl::ToInt64Microseconds(part.limit.window)));
}

Position PositionAt(const RedisValue& answer, size_t index) {
  const bool there = index + 1 < answer.array().size();
  return {.offset = NumberAt(answer, index),
          .epoch = there ? answer.array()[index + 1].text() : std::string()};
}

// `text` up to the blank, which it loses.
std::string_view TakeWord(std::string_view& text) {
  const size_t end = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

}  // namespace

absl::StatusOr<PublishTerms> RedisPublish::TermsOf(const Envelope& envelope) const {
  auto keeping = history_.rules().Of(envelope);
  if (!keeping.ok()) return keeping.status();
  return PublishTerms{.charge = rates_.ChargeOf(envelope), .keeping = *std::move(keeping)};
}

void RedisPublish::AddHistory(const Keeping& keeping, std::vector<std::string>& words) const {
  const HistoryLimits& limits = history_.limits();
  const Keep& keep = keeping.keep;
  words.push_back(fmt::format("{}", keeping.options.size));
  words.push_back(Milliseconds(keeping.options.ttl));
  words.push_back(Milliseconds(std::max(keeping.options.ttl, limits.position_ttl)));
  words.push_back(keep.idempotency_key);
  words.push_back(Milliseconds(limits.idempotency_window));
  words.push_back(keep.version > 0 ? fmt::format("{:020}", keep.version) : "");
  words.push_back(keep.version_epoch);
  words.push_back(fmt::format("{}", history_.seen()));
  words.push_back(keeping.options.logged ? "1" : "0");
  words.push_back(keeping.from.value);
}

void RedisPublish::Publish(std::string channel, std::string message, const PublishTerms& terms,
                           Broker& broker, Done done) {
  std::vector<std::string> words = {std::move(channel), std::move(message)};
  const RateCharge charge = terms.charge.value_or(RateCharge());
  AddPart(charge.client, words);
  AddPart(charge.room, words);
  words.push_back(terms.keeping.has_value() ? terms.keeping->room.value : "");
  if (terms.keeping.has_value()) AddHistory(*terms.keeping, words);
  link_.RunPublish(
      scripts::Publish(), {root_}, std::move(words),
      [this, charge, &broker,
       done = std::move(done)](const absl::StatusOr<RedisValue>& answer) mutable {
        if (!answer.ok()) return std::move(done)(answer.status());
        const uint64_t result = NumberAt(*answer, 0);
        if (result != kClientLimit && result != kRoomLimit) return std::move(done)(Read(*answer));
        const RateVerdict verdict = {
            .result =
                result == kClientLimit ? RateVerdict::Result::kClient : RateVerdict::Result::kRoom,
            .retry_after = absl::Microseconds(static_cast<int64_t>(NumberAt(*answer, 1)))};
        std::move(done)(FollowRateVerdict(verdict, charge, broker, counters_));
      });
}

RedisPublish::Published RedisPublish::Read(const RedisValue& answer) {
  switch (NumberAt(answer, 0)) {
    case kDuplicate:
      counters_.Add(Counter::kPushesDuplicate);
      return {.kept = {.fate = Kept::Fate::kDuplicate, .position = PositionAt(answer, 1)}};
    case kStale:
      counters_.Add(Counter::kPushesStale);
      return {.kept = {.fate = Kept::Fate::kStale, .position = PositionAt(answer, 1)}};
    default:
      break;
  }
  Published published = {.nodes = NumberAt(answer, 1), .kept = {.position = PositionAt(answer, 2)}};
  if (published.kept.position.offset > 0) counters_.Add(Counter::kPushesKept);
  history_.Saw(NumberAt(answer, 4));
  return published;
}

RedisPublish::Head RedisPublish::TakeHead(std::string_view& message) {
  if (!message.starts_with(kKeptMark)) return {};
  message.remove_prefix(1);
  Head head;
  const bool placed = absl::SimpleAtoi(AbslView(TakeWord(message)), &head.position.offset);
  head.position.epoch = TakeWord(message);
  const bool counted = absl::SimpleAtoi(AbslView(TakeWord(message)), &head.kept);
  return placed && counted ? head : Head();
}

}  // namespace wsrouter
