#include "control/backend_confine.h"

#include <algorithm>

#include "control/errors.h"

namespace wsrouter {
namespace {

bool AllBegin(std::string_view prefix, const auto& rooms) {
  return std::ranges::all_of(rooms, [prefix](const std::string& room) {
    return std::string_view(room).starts_with(prefix);
  });
}

bool IsWithin(std::string_view prefix, const v1::Effect& effect) {
  switch (effect.effect_case()) {
    case v1::Effect::kPush:
      return AllBegin(prefix, effect.push().rooms()) &&
             (effect.push().room().empty() || effect.push().room().starts_with(prefix));
    case v1::Effect::kJoin:
      return AllBegin(prefix, effect.join().rooms());
    case v1::Effect::kLeave:
      return AllBegin(prefix, effect.leave().rooms());
    case v1::Effect::kOwn:
      return AllBegin(prefix, effect.own().rooms());
    default:
      return true;
  }
}

}  // namespace

absl::StatusOr<size_t> Confine(std::string_view prefix, BackendResponse& response) {
  if (const auto* connect = std::get_if<v1::ConnectResponse>(&response)) {
    if (AllBegin(prefix, connect->accept().rooms())) return 0;
    return OutsideOfPrefix("accept.rooms");
  }
  auto* message = std::get_if<v1::MessageResponse>(&response);
  if (message == nullptr) return 0;
  auto& effects = *message->mutable_effects();
  const auto gone = std::stable_partition(
      effects.begin(), effects.end(),
      [prefix](const v1::Effect& effect) { return IsWithin(prefix, effect); });
  const auto dropped = static_cast<size_t>(effects.end() - gone);
  effects.DeleteSubrange(static_cast<int>(gone - effects.begin()), static_cast<int>(dropped));
  return dropped;
}

absl::Status OutsideOfPrefix(std::string_view field) {
  return BadField(field, "FIELD_INVALID", "names a room that does not begin as its route says");
}

}  // namespace wsrouter
