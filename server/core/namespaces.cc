#include "core/namespaces.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "base/strings.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

absl::Status Wrong(std::string_view line, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("namespace '{}' {}", line, what));
}

constexpr std::array<std::pair<std::string_view, SlowConsumerPolicy>, 4> kSlowConsumers = {{
    {"drop", SlowConsumerPolicy::kDrop},
    {"drop_old", SlowConsumerPolicy::kDropOld},
    {"conflate", SlowConsumerPolicy::kConflate},
    {"disconnect", SlowConsumerPolicy::kDisconnect},
}};
// Whether `name` is one and `value` fits it.
bool SetHistoryOption(std::string_view name, std::string_view value, HistoryOptions& history) {
  if (name == "history_size") {
    return absl::SimpleAtoi(AbslView(value), &history.size) && history.size <= kHistorySizeMax;
  }
  if (name == "history_ttl") {
    return absl::ParseDuration(AbslView(value), &history.ttl) && history.ttl >= kHistoryTtlMin &&
           history.ttl <= kHistoryTtlMax;
  }
  if (name == "log_messages") {
    history.logged = value == "on";
    return history.logged || value == "off";
  }
  history.always = value == "always";
  return name == "reliable" && (history.always || value == "asked");
}

absl::Status SetOption(std::string_view name, std::string_view value, Namespace& space) {
  NamespaceOptions& options = space.options;
  if (name == "room_rate" || name == "client_rate") {
    const absl::StatusOr<RateLimit> rate = ParseRateLimit(value);
    if (!rate.ok()) return rate.status();
    (name == "room_rate" ? options.room_rate : options.client_rate) = *rate;
    space.own_client_rate = space.own_client_rate || name == "client_rate";
    return absl::OkStatus();
  }
  if (name == "on_limit" && (value == "drop" || value == "disconnect")) {
    options.on_limit = value == "drop" ? OnRateLimit::kDrop : OnRateLimit::kDisconnect;
    return absl::OkStatus();
  }
  for (const auto& [word, policy] : kSlowConsumers) {
    if (name != "slow_consumer" || value != word) continue;
    options.slow_consumer = policy;
    return absl::OkStatus();
  }
  if (SetHistoryOption(name, value, options.history)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("'{}={}' is no option, want room_rate=, client_rate=, on_limit=drop|disconnect, "
                  "slow_consumer=drop|drop_old|conflate|disconnect, history_size= (0 to {}), "
                  "history_ttl= (1ms to 720h), reliable=asked|always or log_messages=on|off",
                  name, value, kHistorySizeMax));
}

absl::StatusOr<Namespace> ParseLine(const std::string& line, const NamespaceOptions& defaults) {
  const std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (words.size() < 2) return Wrong(line, "has no option, want <prefix> <option>=<value>");
  Namespace space = {.prefix = words[0], .options = defaults};
  for (size_t i = 1; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const size_t equals = std::min(word.find('='), word.size());
    const std::string_view value = word.substr(std::min(equals + 1, word.size()));
    const absl::Status set = SetOption(word.substr(0, equals), value, space);
    if (!set.ok()) return Wrong(line, fmt::format("is wrong: {}", StdView(set.message())));
  }
  return space;
}

}  // namespace

absl::StatusOr<Namespaces> Namespaces::Parse(const std::vector<std::string>& lines,
                                             const NamespaceOptions& defaults) {
  Namespaces spaces(defaults);
  if (lines.size() > kLinesMax) {
    return absl::InvalidArgumentError(
        fmt::format("{} namespaces, want at most {}", lines.size(), kLinesMax));
  }
  for (const std::string& line : lines) {
    absl::StatusOr<Namespace> space = ParseLine(line, defaults);
    if (!space.ok()) return space.status();
    if (std::ranges::find(spaces.list_, space->prefix, &Namespace::prefix) != spaces.list_.end()) {
      return Wrong(line, "has the prefix of another");
    }
    spaces.list_.push_back(*std::move(space));
  }
  std::ranges::stable_sort(spaces.list_, std::ranges::greater{},
                           [](const Namespace& space) { return space.prefix.size(); });
  return spaces;
}

const Namespace& Namespaces::Of(std::string_view room) const {
  for (const Namespace& space : list_) {
    if (room.starts_with(space.prefix)) return space;
  }
  return defaults();
}

bool Namespaces::AnyRate() const {
  return std::ranges::any_of(list_, [](const Namespace& space) {
    return space.options.room_rate.on() || space.options.client_rate.on();
  });
}

bool Namespaces::AnyHistory() const {
  return std::ranges::any_of(list_,
                             [](const Namespace& space) { return space.options.history.on(); });
}

}  // namespace wsrouter
