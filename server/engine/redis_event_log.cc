#include "engine/redis_event_log.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/redis_answer.h"
#include "engine/redis_keys.h"
#include "engine/redis_log_values.h"
#include "engine/redis_scripts.h"
#include "engine/refusals.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

std::string Milliseconds(absl::Duration duration) {
  return fmt::format("{}", absl::ToInt64Milliseconds(duration));
}

// "<milliseconds>-<number>", as Redis numbers the entries of a stream.
bool IsStreamId(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789-") == std::string_view::npos &&
         std::ranges::count(text, '-') == 1 && !text.starts_with('-') && !text.ends_with('-');
}

void AddSettlement(const LogSettlement& settlement, std::vector<std::string>& words) {
  const size_t colon = settlement.receipt.find(':');
  if (colon == std::string::npos || !IsStreamId(settlement.receipt.substr(colon + 1))) return;
  words.push_back(settlement.receipt.substr(0, colon));
  words.push_back(settlement.receipt.substr(colon + 1));
  words.push_back(settlement.again_after.has_value() ? Milliseconds(*settlement.again_after) : "");
}

uint64_t Count(const RedisValue& answer) { return static_cast<uint64_t>(answer.integer()); }

}  // namespace

RedisEventLog::RedisEventLog(std::string_view prefix, const EventLogOptions& options,
                             RedisLink& link, Counters& counters)
    : options_(options), root_(RedisRoot(prefix)), link_(link), counters_(counters) {}

void RedisEventLog::Run(const RedisScript& script, std::vector<std::string> arguments,
                        RedisLink::Done done) {
  if (!options_.on) return std::move(done)(EventLogOff());
  link_.Run(script, {root_}, std::move(arguments), std::move(done));
}

void RedisEventLog::Append(LogKind kind, const ClientId& client, const ConnectionId& connection) {
  if (!options_.on) return;
  Run(scripts::LogAppend(), {std::string(LogKindText(kind)), client.value, connection.ToString()},
      [this](const absl::StatusOr<RedisValue>& answer) {
        if (!answer.ok()) counters_.Add(Counter::kLogAppendsLost);
      });
}

LogTaken RedisEventLog::Taken(const LogConsumer& consumer, const RedisValue& answer) {
  LogTaken taken = {.partitions = NumberAt(answer, 0),
                    .dead = NumberAt(answer, 1),
                    .lost = NumberAt(answer, 2),
                    .deliveries = {}};
  std::vector<LogSettlement> unknown;
  const RedisValue::Array& entries = answer.array();
  for (size_t i = 3; i < entries.size(); ++i) {
    const RedisValue::Array& words = entries[i].array();
    if (words.size() < 3) continue;
    LogDelivery one = {.receipt = fmt::format("{}:{}", words[0].text(), words[1].text()),
                       .entry = {},
                       .deliveries = Count(words[2])};
    auto entry = LogEntryFrom(words, 3, words[0].text(), words[1].text());
    if (!entry.has_value()) {
      unknown.push_back({.receipt = std::move(one.receipt), .again_after = std::nullopt});
      continue;
    }
    one.entry = *std::move(entry);
    taken.deliveries.push_back(std::move(one));
  }
  if (!unknown.empty()) {
    Settle(consumer, std::move(unknown), [](const absl::StatusOr<uint64_t>&) {});
  }
  return taken;
}

void RedisEventLog::Take(const LogConsumer& consumer, uint32_t count, Done<LogTaken> done) {
  Done<LogTaken> noting = [this, consumer,
                           done = std::move(done)](absl::StatusOr<LogTaken> taken) mutable {
    SetAnswered(consumer, !absl::IsUnavailable(taken.status()));
    std::move(done)(std::move(taken));
  };
  Run(scripts::LogTake(),
      {consumer.group, consumer.name, fmt::format("{}", count), Milliseconds(consumer.visibility),
       fmt::format("{}", options_.deliveries_max), Milliseconds(options_.stay),
       fmt::format("{}", LogPartitionMax(options_)), consumer.from_start ? "0" : "$",
       fmt::format("{}", kGroupsMax), WasUnanswered(consumer) ? "1" : "0"},
      Answering<LogTaken>(std::move(noting),
                          [this, consumer](const RedisValue& value) -> absl::StatusOr<LogTaken> {
                            if (!value.array().empty() && value.array()[0].integer() < 0) {
                              return TooManyGroups(kGroupsMax);
                            }
                            return Taken(consumer, value);
                          }));
}

bool RedisEventLog::WasUnanswered(const LogConsumer& consumer) {
  absl::MutexLock lock(&mutex_);
  return unanswered_.contains(consumer.name);
}

void RedisEventLog::SetAnswered(const LogConsumer& consumer, bool answered) {
  absl::MutexLock lock(&mutex_);
  if (answered) {
    unanswered_.erase(consumer.name);
  } else {
    unanswered_.insert(consumer.name);
  }
}

void RedisEventLog::Settle(const LogConsumer& consumer, std::vector<LogSettlement> settlements,
                           Done<uint64_t> done) {
  std::vector<std::string> words = {consumer.group, consumer.name,
                                    Milliseconds(consumer.visibility)};
  for (const LogSettlement& one : settlements) AddSettlement(one, words);
  Run(scripts::LogSettle(), std::move(words), Answering<uint64_t>(std::move(done), Count));
}

void RedisEventLog::Leave(const LogConsumer& consumer) {
  SetAnswered(consumer, true);
  Run(scripts::LogLeave(), {consumer.group, consumer.name},
      [](const absl::StatusOr<RedisValue>&) {});
}

void RedisEventLog::DeadLetters(const std::string& group, const std::string& cursor, uint32_t count,
                                Done<DeadLettersPage> done) {
  const std::string from = IsStreamId(cursor) ? cursor : "";
  Run(scripts::LogDead(), {group, from, fmt::format("{}", count)},
      Answering<DeadLettersPage>(std::move(done), [](const RedisValue& value) {
        DeadLettersPage page;
        const RedisValue::Array& rows = value.array();
        for (size_t i = 1; i < rows.size(); ++i) {
          const RedisValue::Array& words = rows[i].array();
          if (words.empty()) continue;
          if (NumberAt(value, 0) == 1) page.next_cursor = words[0].text();
          auto entry = LogEntryFrom(words, 1, "", words[0].text());
          if (!entry.has_value()) continue;
          page.letters.push_back({.id = words[0].text(),
                                  .entry = *std::move(entry),
                                  .deliveries = DeliveriesFrom(words, 1)});
        }
        return page;
      }));
}

void RedisEventLog::TakeDeadLetters(const std::string& group, const std::vector<std::string>& ids,
                                    bool again, Done<uint64_t> done) {
  std::vector<std::string> words = {group, again ? "again" : "drop"};
  std::ranges::copy_if(ids, std::back_inserter(words), IsStreamId);
  Run(scripts::LogBury(), std::move(words), Answering<uint64_t>(std::move(done), Count));
}

void RedisEventLog::Groups(Done<LogGroups> done) {
  Run(scripts::LogGroups(), {}, Answering<LogGroups>(std::move(done), [](const RedisValue& value) {
        LogGroups answer = {
            .appended = NumberAt(value, 0), .refused = NumberAt(value, 1), .groups = {}};
        const RedisValue::Array& words = value.array();
        for (size_t i = 2; i + 5 < words.size(); i += 6) {
          answer.groups.push_back({.name = words[i].text(),
                                   .lag = NumberAt(value, i + 1),
                                   .pending = NumberAt(value, i + 2),
                                   .dead = NumberAt(value, i + 3),
                                   .consumers = NumberAt(value, i + 4),
                                   .lost = NumberAt(value, i + 5)});
        }
        return answer;
      }));
}

void RedisEventLog::DeleteGroup(const std::string& group, Done<bool> done) {
  Run(scripts::LogDelete(), {group},
      Answering<bool>(std::move(done), [](const RedisValue& value) { return Count(value) > 0; }));
}

void RedisEventLog::Trim() {
  if (!options_.on) return;
  Run(scripts::LogTrim(), {Milliseconds(options_.age_max)},
      [](const absl::StatusOr<RedisValue>&) {});
}

}  // namespace wsrouter
