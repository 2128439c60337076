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

bool IsNobodyOr(std::string_view client, const std::string& sender) {
  return sender.empty() || sender == client;
}

// `client` is whose message it is.
bool IsWithin(std::string_view prefix, std::string_view client, const v1::Effect& effect) {
  switch (effect.effect_case()) {
    case v1::Effect::kPush:
      return AllBegin(prefix, effect.push().rooms()) &&
             (effect.push().room().empty() || effect.push().room().starts_with(prefix)) &&
             IsNobodyOr(client, effect.push().from_client_id());
    case v1::Effect::kSendToClient:
      return IsNobodyOr(client, effect.send_to_client().from_client_id());
    case v1::Effect::kJoin:
      return AllBegin(prefix, effect.join().rooms());
    case v1::Effect::kLeave:
      return AllBegin(prefix, effect.leave().rooms());
    case v1::Effect::kOwn:
      return AllBegin(prefix, effect.own().rooms()) && AllBegin(prefix, effect.own().may_join());
    default:
      return true;
  }
}

}  // namespace

absl::StatusOr<size_t> Confine(std::string_view prefix, const BackendRequest& request,
                               BackendResponse& response) {
  if (const auto* connect = std::get_if<v1::ConnectResponse>(&response)) {
    if (!AllBegin(prefix, connect->accept().rooms())) return OutsideOfPrefix("accept.rooms");
    // A pattern that begins so fits no room that does not.
    if (!AllBegin(prefix, connect->accept().may_join())) return OutsideOfPrefix("accept.may_join");
    return 0;
  }
  auto* message = std::get_if<v1::MessageResponse>(&response);
  if (message == nullptr) return 0;
  const std::string& client = std::get<v1::MessageRequest>(request).client_id();
  auto& effects = *message->mutable_effects();
  const auto gone = std::stable_partition(
      effects.begin(), effects.end(),
      [&](const v1::Effect& effect) { return IsWithin(prefix, client, effect); });
  const auto dropped = static_cast<size_t>(effects.end() - gone);
  effects.DeleteSubrange(static_cast<int>(gone - effects.begin()), static_cast<int>(dropped));
  return dropped;
}

absl::Status OutsideOfPrefix(std::string_view field) {
  return BadField(field, "FIELD_INVALID", "is not within what its route may name (rooms=)");
}

}  // namespace wsrouter
