#include "core/rate_limits.h"

#include <memory>
#include <utility>

#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {

RateRules::RateRules(Namespaces namespaces)
    : namespaces_(std::move(namespaces)), any_(namespaces_.AnyRate()) {}

void RateRules::SetNamespaces(Namespaces namespaces) {
  absl::MutexLock lock(&mutex_);
  namespaces_.Set(std::move(namespaces));
  Note();
}

std::optional<RateCharge> RateRules::ChargeOf(const Envelope& envelope) const {
  if (!any_.load(std::memory_order_acquire)) return std::nullopt;
  if (!std::holds_alternative<Deliver>(envelope.action)) return std::nullopt;
  const auto* room = std::get_if<RoomName>(&envelope.to);
  if (room == nullptr && envelope.from.value.empty()) return std::nullopt;
  const std::shared_ptr<const Namespaces> namespaces = namespaces_.Get();
  const Namespace& space = room != nullptr ? namespaces->Of(room->value) : namespaces->defaults();
  RateCharge charge = {
      .client = {}, .room = {}, .on_limit = space.options.on_limit, .sender = envelope.from};
  if (room != nullptr) {
    charge.room.limit = Find(rooms_, room->value).value_or(space.options.room_rate);
    if (charge.room.limit.on()) charge.room.log = "r" + room->value;
  }
  if (!envelope.from.value.empty()) {
    const std::optional<RateLimit> set = Find(clients_, envelope.from.value);
    charge.client.limit = set.value_or(space.options.client_rate);
    const bool apart = !set.has_value() && space.own_client_rate;
    if (charge.client.limit.on()) {
      charge.client.log = apart ? fmt::format("n{} {}", space.prefix, envelope.from.value)
                                : "c" + envelope.from.value;
    }
  }
  if (!charge.room.limit.on() && !charge.client.limit.on()) return std::nullopt;
  return charge;
}

std::optional<RateLimit> RateRules::Find(const Kind& kind, std::string_view name) const {
  if (!kind.any.load(std::memory_order_acquire)) return std::nullopt;
  absl::ReaderMutexLock lock(&mutex_);
  const auto found = kind.limits.find(name);
  return found == kind.limits.end() ? std::nullopt : std::optional(found->second);
}

void RateRules::Note() {
  for (Kind* kind : {&clients_, &rooms_}) {
    kind->any.store(!kind->limits.empty(), std::memory_order_release);
  }
  any_.store(namespaces_.AnyRate() || !clients_.limits.empty() || !rooms_.limits.empty(),
             std::memory_order_release);
}

bool RateRules::Set(const RateSubject& subject, std::optional<RateLimit> limit) {
  const auto* room = std::get_if<RoomName>(&subject);
  const std::string& name = room != nullptr ? room->value : std::get<ClientId>(subject).value;
  absl::MutexLock lock(&mutex_);
  auto& limits = room != nullptr ? rooms_.limits : clients_.limits;
  if (!limit.has_value()) {
    limits.erase(name);
  } else if (clients_.limits.size() + rooms_.limits.size() >= kRateOverridesMax &&
             !limits.contains(name)) {
    return false;
  } else {
    limits[name] = *limit;
  }
  Note();
  return true;
}

void RateRules::Replace(const absl::btree_map<std::string, RateLimit>& overrides) {
  absl::MutexLock lock(&mutex_);
  clients_.limits.clear();
  rooms_.limits.clear();
  for (const auto& [key, limit] : overrides) {
    (key.starts_with('c') ? clients_ : rooms_).limits.emplace(key.substr(1), limit);
  }
  Note();
}

absl::btree_map<std::string, RateLimit> RateRules::overrides() const {
  absl::btree_map<std::string, RateLimit> overrides;
  absl::ReaderMutexLock lock(&mutex_);
  for (const auto& [name, limit] : clients_.limits) overrides.emplace("c" + name, limit);
  for (const auto& [name, limit] : rooms_.limits) overrides.emplace("r" + name, limit);
  return overrides;
}

RateLimitsPage RateRules::Page(std::string_view cursor, uint32_t count) const {
  RateLimitsPage page;
  const char kind = cursor.empty() ? '\0' : cursor[0];
  absl::ReaderMutexLock lock(&mutex_);
  // False when the page is full, and there is more.
  const auto list = [&](char letter, const Kind& of, const auto& subject) {
    if (kind > letter) return true;
    auto at = kind < letter ? of.limits.begin() : of.limits.upper_bound(cursor.substr(1));
    for (; at != of.limits.end(); ++at) {
      if (page.rows.size() == count) return false;
      page.rows.emplace_back(subject(at->first), at->second);
    }
    return true;
  };
  const bool whole = list('c', clients_, [](const std::string& name) { return ClientId{name}; }) &&
                     list('r', rooms_, [](const std::string& name) { return RoomName{name}; });
  if (!whole) page.next_cursor = KeyOf(page.rows.back().first);
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
