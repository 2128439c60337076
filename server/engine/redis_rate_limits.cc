#include "engine/redis_rate_limits.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "base/random.h"
#include "base/strings.h"
#include "core/error.h"
#include "engine/rate_refusal.h"
#include "engine/redis_keys.h"
#include "engine/redis_scripts.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// The field of the hash that has its mark; no key of a subject is empty.
constexpr char kMarkField[] = "";
// Limits that one step sets again: some milliseconds of Redis.
constexpr size_t kRestoredAtOnce = 500;

absl::Status Unavailable(std::string_view why) {
  return Refusal(absl::StatusCode::kUnavailable, "LIMITS_UNAVAILABLE", why);
}

// A limit as Redis has it: "<n> <microseconds>".
std::string ToText(const RateLimit& limit) {
  return fmt::format("{} {}", limit.n, absl::ToInt64Microseconds(limit.window));
}

std::optional<RateLimit> FromText(std::string_view text) {
  const size_t blank = text.find(' ');
  RateLimit limit;
  int64_t micros = 0;
  if (blank == std::string_view::npos ||
      !absl::SimpleAtoi(AbslView(text.substr(0, blank)), &limit.n) ||
      !absl::SimpleAtoi(AbslView(text.substr(blank + 1)), &micros)) {
    return std::nullopt;
  }
  limit.window = absl::Microseconds(micros);
  if (!IsRateLimit(limit)) return std::nullopt;
  return limit;
}

}  // namespace

RedisRateLimits::RedisRateLimits(std::string_view prefix, Namespaces namespaces, RedisLink& link,
                                 Counters& counters, const Clock& clock)
    : root_(RedisRoot(prefix)),
      hash_(root_ + "limits"),
      channel_(root_ + "limits"),
      rules_(std::move(namespaces)),
      link_(link),
      counters_(counters),
      log_(clock) {}

void RedisRateLimits::Set(const RateSubject& subject, std::optional<RateLimit> limit, Done done) {
  std::string key = RateRules::KeyOf(subject);
  std::vector<std::string> words = {key, limit.has_value() ? ToText(*limit) : "",
                                    fmt::format("{}", kRateOverridesMax),
                                    fmt::format("{:016x}", RandomSeed()), channel_};
  link_.RunPublish(
      scripts::SetLimit(), {root_}, std::move(words),
      [this, key = std::move(key),
       done = std::move(done)](const absl::StatusOr<RedisValue>& set) mutable {
        if (!set.ok()) {
          return std::move(done)(Unavailable(StdView(set.status().message())));
        }
        if (set->integer() == 0) return std::move(done)(TooManyLimits());
        // In force here, too, when the caller hears of it.
        link_.Command(
            {"HMGET", hash_, key, kMarkField},
            [this, key, done = std::move(done)](const absl::StatusOr<RedisValue>& read) mutable {
              if (!read.ok()) return std::move(done)(Unavailable(StdView(read.status().message())));
              Note(key, *read);
              std::move(done)(absl::OkStatus());
            });
      });
}

void RedisRateLimits::Note(std::string_view key, const RedisValue& read) {
  const std::optional<RateSubject> subject = RateRules::SubjectOf(key);
  if (!subject.has_value() || read.array().size() != 2) return;
  rules_.Set(*subject, FromText(read.array()[0].text()));
  // Another mark is for Load to see, which has limits to set again then.
  if (mark_.empty()) mark_ = read.array()[1].text();
}

void RedisRateLimits::OnChanged(std::string_view key) {
  if (key.empty()) {
    return ReadAll([](const absl::Status&) {});
  }
  link_.Command({"HMGET", hash_, std::string(key), kMarkField},
                [this, key = std::string(key)](const absl::StatusOr<RedisValue>& read) {
                  if (read.ok()) Note(key, *read);
                });
}

void RedisRateLimits::Load(Done done) {
  link_.Command({"HGET", hash_, kMarkField},
                [this, done = std::move(done)](const absl::StatusOr<RedisValue>& mark) mutable {
                  if (!mark.ok()) return std::move(done)(mark.status());
                  if (mark_.empty() || mark->text() == mark_) return ReadAll(std::move(done));
                  const auto overrides = rules_.overrides();
                  Restore({overrides.begin(), overrides.end()}, std::move(done));
                });
}

void RedisRateLimits::Restore(Rows rows, Done done) {
  const size_t count = std::min(rows.size(), kRestoredAtOnce);
  const bool last = count == rows.size();
  std::vector<std::string> words = {mark_, channel_, last ? "last" : "more"};
  for (size_t i = rows.size() - count; i < rows.size(); ++i) {
    words.push_back(std::move(rows[i].first));
    words.push_back(ToText(rows[i].second));
  }
  rows.resize(rows.size() - count);
  link_.RunPublish(scripts::RestoreLimits(), {root_}, std::move(words),
                   [this, last, rows = std::move(rows),
                    done = std::move(done)](const absl::StatusOr<RedisValue>& set) mutable {
                     if (!set.ok()) return std::move(done)(set.status());
                     if (last || set->integer() == 0) return ReadAll(std::move(done));
                     Restore(std::move(rows), std::move(done));
                   });
}

void RedisRateLimits::ReadAll(Done done) {
  link_.Command({"HGETALL", hash_},
                [this, done = std::move(done)](const absl::StatusOr<RedisValue>& hash) mutable {
                  if (hash.ok()) Read(*hash);
                  std::move(done)(hash.status());
                });
}

void RedisRateLimits::Read(const RedisValue& hash) {
  const RedisValue::Array& words = hash.array();
  absl::btree_map<std::string, RateLimit> overrides;
  std::string mark;
  bool has_ours = mark_.empty();
  for (size_t i = 0; i + 1 < words.size(); i += 2) {
    const std::string& key = words[i].text();
    if (key == kMarkField) mark = words[i + 1].text();
    has_ours = has_ours || key == "m" + mark_;
    const std::optional<RateLimit> limit = FromText(words[i + 1].text());
    if (limit.has_value() && RateRules::SubjectOf(key).has_value()) overrides[key] = *limit;
  }
  if (!has_ours && mark != mark_) return;  // what this node knows is for Load to set again
  mark_ = std::move(mark);
  rules_.Replace(overrides);
}

absl::Status RedisRateLimits::SpendHere(const RateCharge& charge, Broker& broker) {
  return FollowRateVerdict(log_.Spend(charge), charge, broker, counters_);
}

}  // namespace wsrouter
