#include "core/rate_limits.h"

#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {

RateRules::RateRules(Namespaces namespaces)
    : namespaces_(std::move(namespaces)), configured_(namespaces_.AnyRate()), any_(configured_) {}

std::optional<RateCharge> RateRules::ChargeOf(const Envelope& envelope) const {
  if (!any_.load(std::memory_order_acquire)) return std::nullopt;
  if (!std::holds_alternative<Deliver>(envelope.action)) return std::nullopt;
  const auto* room = std::get_if<RoomName>(&envelope.to);
  if (room == nullptr && envelope.from.value.empty()) return std::nullopt;
  const Namespace& space = room != nullptr ? namespaces_.Of(room->value) : namespaces_.defaults();
  RateCharge charge = {
      .client = {}, .room = {}, .on_limit = space.options.on_limit, .sender = envelope.from};
  absl::ReaderMutexLock lock(&mutex_);
  if (room != nullptr) {
    const RateLimit* set = Find('r', room->value);
    charge.room.limit = set != nullptr ? *set : space.options.room_rate;
    if (charge.room.limit.on()) charge.room.log = "r" + room->value;
  }
  if (!envelope.from.value.empty()) {
    const RateLimit* set = Find('c', envelope.from.value);
    charge.client.limit = set != nullptr ? *set : space.options.client_rate;
    const bool apart = set == nullptr && space.own_client_rate;
    if (charge.client.limit.on()) {
      charge.client.log = apart ? fmt::format("n{} {}", space.prefix, envelope.from.value)
                                : "c" + envelope.from.value;
    }
  }
  if (!charge.room.limit.on() && !charge.client.limit.on()) return std::nullopt;
  return charge;
}

const RateLimit* RateRules::Find(char kind, std::string_view name) const {
  if (overrides_.empty()) return nullptr;
  const auto found = overrides_.find(kind + std::string(name));
  return found == overrides_.end() ? nullptr : &found->second;
}

void RateRules::Note() {
  any_.store(configured_ || !overrides_.empty(), std::memory_order_release);
}

bool RateRules::Set(const RateSubject& subject, std::optional<RateLimit> limit) {
  std::string key = KeyOf(subject);
  absl::MutexLock lock(&mutex_);
  if (!limit.has_value()) {
    overrides_.erase(key);
  } else if (overrides_.size() >= kRateOverridesMax && !overrides_.contains(key)) {
    return false;
  } else {
    overrides_[std::move(key)] = *limit;
  }
  Note();
  return true;
}

void RateRules::Replace(absl::btree_map<std::string, RateLimit> overrides) {
  absl::MutexLock lock(&mutex_);
  overrides_.swap(overrides);
  Note();
}

absl::btree_map<std::string, RateLimit> RateRules::overrides() const {
  absl::ReaderMutexLock lock(&mutex_);
  return overrides_;
}

RateLimitsPage RateRules::Page(std::string_view cursor, uint32_t count) const {
  RateLimitsPage page;
  absl::ReaderMutexLock lock(&mutex_);
  for (auto at = overrides_.upper_bound(std::string(cursor)); at != overrides_.end(); ++at) {
    if (page.rows.size() == count) {
      page.next_cursor = KeyOf(page.rows.back().first);
      break;
    }
    if (const auto subject = SubjectOf(at->first)) page.rows.emplace_back(*subject, at->second);
  }
  return page;
}

std::string RateRules::KeyOf(const RateSubject& subject) {
  const auto* room = std::get_if<RoomName>(&subject);
  return room != nullptr ? "r" + room->value : "c" + std::get<ClientId>(subject).value;
}

std::optional<RateSubject> RateRules::SubjectOf(std::string_view key) {
  if (key.starts_with('r')) return RoomName{std::string(key.substr(1))};
  if (key.starts_with('c')) return ClientId{std::string(key.substr(1))};
  return std::nullopt;
}

absl::Status TooManyLimits() {
  return Refusal(absl::StatusCode::kResourceExhausted, "TOO_MANY_LIMITS",
                 fmt::format("{} limits are set, the most; reset some", kRateOverridesMax));
}

}  // namespace wsrouter
