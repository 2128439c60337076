#include "engine/refusals.h"

#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

absl::Status Exhausted(std::string_view reason, std::string_view message) {
  return Refusal(absl::StatusCode::kResourceExhausted, reason, message);
}

}  // namespace

absl::Status ClientAlreadyOwned(uint64_t others) {
  return Refusal(absl::StatusCode::kAlreadyExists, "CLIENT_ALREADY_OWNED",
                 fmt::format("client has {} other connections", others));
}

absl::Status ConnectionsExhausted(uint64_t owned) {
  return Exhausted("CAPACITY_CONNECTIONS",
                   fmt::format("{} connections are owned, the capacity", owned));
}

absl::Status ClientExhausted(uint32_t connections_per_client) {
  return Exhausted("CONNECTIONS_PER_CLIENT",
                   fmt::format("a client may have at most {} connections", connections_per_client));
}

absl::Status RoomMembersExhausted(uint64_t members) {
  return Exhausted("CAPACITY_ROOM_MEMBERS",
                   fmt::format("rooms have {} members, the capacity", members));
}

absl::Status EventLogOff() {
  return Refusal(absl::StatusCode::kFailedPrecondition, "EVENT_LOG_OFF",
                 "this node keeps no event log, see events.log");
}

absl::Status TooManyGroups(size_t groups) {
  return Exhausted("TOO_MANY_GROUPS",
                   fmt::format("there are {} groups, the most that there may be", groups));
}

}  // namespace wsrouter
