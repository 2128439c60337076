#include "tests/support/load_account.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "fmt/format.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

constexpr size_t kHolesTold = 10;

// The value of a text without escapes, which is all that a load has.
std::string_view TextOf(std::string_view frame, std::string_view name) {
  const std::string begins = fmt::format("\"{}\":\"", name);
  const size_t at = frame.find(begins);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = frame.substr(at + begins.size());
  return rest.substr(0, rest.find('"'));
}

nlohmann::json Percentiles(std::vector<double> values) {
  if (values.empty()) return nullptr;
  std::ranges::sort(values);
  const auto at = [&](double part) {
    return values[static_cast<size_t>(part * static_cast<double>(values.size() - 1))];
  };
  return {{"count", values.size()}, {"p50", at(0.5)}, {"p99", at(0.99)}, {"max", values.back()}};
}

// The most that came within one second, wherever it begins; `times` are in order.
size_t BusiestSecond(const std::vector<absl::Duration>& times) {
  size_t most = 0;
  for (size_t begin = 0, end = 0; end < times.size(); ++end) {
    while (times[end] - times[begin] >= absl::Seconds(1)) ++begin;
    most = std::max(most, end - begin + 1);
  }
  return most;
}

double SecondsFrom(const std::vector<absl::Duration>& times) {
  return times.empty() ? 0 : absl::ToDoubleSeconds(times.back() - times.front());
}

nlohmann::json Named(const std::map<int, uint64_t>& counts) {
  nlohmann::json named = nlohmann::json::object();
  for (const auto& [key, count] : counts) named[std::to_string(key)] = count;
  return named;
}

}  // namespace

void LoadAccount::OnUp(uint32_t client, bool resumed, absl::Duration away, absl::Duration opening,
                       absl::Duration now) {
  ++came_;
  ++count_.up;
  if (resumed) ++count_.resumed;
  ups_.push_back(now);
  opening_ms_.push_back(absl::ToDoubleMilliseconds(opening));
  if (away != absl::ZeroDuration()) away_ms_.push_back(absl::ToDoubleMilliseconds(away));
  clients_[client].closed = false;
  for (Place& place : clients_[client].places) place.away = true;
}

void LoadAccount::OnDown(uint32_t client, SessionLoad::Loss loss) {
  if (loss == SessionLoad::Loss::kPeer && !clients_[client].closed) ++count_.broken;
}

void LoadAccount::OnClose(uint32_t client, uint16_t code, absl::Duration now) {
  clients_[client].closed = true;
  ++closes_[code];
  closed_.push_back(now);
}

void LoadAccount::OnFrame(uint32_t client, std::string_view frame, absl::Duration now) {
  if (frame.starts_with("{\"msg\"")) {
    OnPush(clients_[client], frame, now);
  } else {
    ++count_.other;
  }
}

LoadAccount::Place& LoadAccount::PlaceIn(Client& client, std::string_view room) {
  const auto found = std::ranges::find(client.places, room, &Place::room);
  if (found != client.places.end()) return *found;
  client.places.push_back({.room = std::string(room), .offset = {}, .epoch = {}});
  return client.places.back();
}

void LoadAccount::OnPush(Client& client, std::string_view frame, absl::Duration now) {
  const std::string_view text = TextOf(frame, "text");
  uint64_t number = 0;
  int64_t sent = 0;
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  if (error != std::errc() || end == text.end() ||
      std::from_chars(end + 1, text.end(), sent).ec != std::errc()) {
    ++count_.other;
    return;
  }
  ++count_.pushes;
  delay_us_.push_back(absl::ToDoubleMicroseconds(now - absl::Nanoseconds(sent)));
  Place& place = PlaceIn(client, TextOf(frame, "room"));
  if (number <= place.last) {
    ++count_.twice;
    return;
  }
  const uint64_t hole = place.last == 0 ? 0 : number - place.last - 1;
  const bool may_miss = place.away && place.offset.empty();
  (may_miss ? count_.missed : count_.lost) += hole;
  if (!may_miss && hole > 0 && holes_.size() < kHolesTold) {
    holes_.push_back(fmt::format("{} {}", place.room, place.last + 1));
  }
  place.last = number;
  place.away = false;
  place.offset = TextOf(frame, "offset");
  place.epoch = TextOf(frame, "epoch");
  if (!place.offset.empty()) ++count_.kept;
}

std::vector<std::string> LoadAccount::JoinsOf(uint32_t client) const {
  std::vector<std::string> joins;
  for (const Place& place : clients_[client].places) {
    if (place.offset.empty()) continue;
    joins.push_back(
        fmt::format(R"({{"join":{{"id":"s","room":"{}","since":{{"offset":"{}","epoch":"{}"}}}}}})",
                    place.room, place.offset, place.epoch));
  }
  return joins;
}

nlohmann::json LoadAccount::Report() {
  nlohmann::json report = {{"up", count_.up},
                           {"resumed", count_.resumed},
                           {"broken", count_.broken},
                           {"pushes", count_.pushes},
                           {"kept", count_.kept},
                           {"lost", count_.lost},
                           {"missed", count_.missed},
                           {"holes", std::exchange(holes_, {})},
                           {"twice", count_.twice},
                           {"other", count_.other},
                           {"refused", Named(std::exchange(refused_, {}))},
                           {"closes", Named(std::exchange(closes_, {}))},
                           {"ups_busiest_second", BusiestSecond(ups_)},
                           {"ups_seconds", SecondsFrom(ups_)},
                           {"closes_busiest_second", BusiestSecond(closed_)},
                           {"closes_seconds", SecondsFrom(closed_)},
                           {"opening_ms", Percentiles(std::exchange(opening_ms_, {}))},
                           {"away_ms", Percentiles(std::exchange(away_ms_, {}))},
                           {"delay_us", Percentiles(std::exchange(delay_us_, {}))}};
  count_ = {};
  ups_.clear();
  closed_.clear();
  return report;
}

}  // namespace wsrouter
