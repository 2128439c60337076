#include "core/history.h"

#include <utility>

#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

absl::Status HistoryOff(const RoomName& room) {
  return Refusal(
      absl::StatusCode::kFailedPrecondition, "HISTORY_OFF",
      fmt::format("the room {} keeps no history (history_size of its namespace is 0)", room.value));
}

}  // namespace

absl::StatusOr<std::optional<Keeping>> HistoryRules::Of(const Envelope& envelope) const {
  const auto* room = std::get_if<RoomName>(&envelope.to);
  if (room == nullptr || !std::holds_alternative<Deliver>(envelope.action)) return std::nullopt;
  const Keep* keep = envelope.keep.get();
  if (keep == nullptr && !namespaces_.AnyHistory()) return std::nullopt;
  const HistoryOptions options = namespaces_.Get()->Of(room->value).options.history;
  const bool always = options.on() && options.always;
  if (keep == nullptr) {
    if (!always) return std::nullopt;
    return Keeping{
        .room = *room, .options = options, .keep = {.reliable = true}, .from = envelope.from};
  }
  if (keep->reliable && !options.on()) return HistoryOff(*room);
  Keeping keeping = {.room = *room, .options = options, .keep = *keep, .from = envelope.from};
  if (!keep->reliable && !always) keeping.options.size = 0;
  return keeping;
}

absl::StatusOr<HistoryOptions> HistoryRules::Of(const RoomName& room) const {
  HistoryOptions options = namespaces_.Get()->Of(room.value).options.history;
  if (!options.on()) return HistoryOff(room);
  return options;
}

absl::Status HistoryUnavailable(std::string_view why) {
  return Refusal(absl::StatusCode::kUnavailable, "HISTORY_UNAVAILABLE", why);
}

}  // namespace wsrouter
