#ifndef WSROUTER_ENGINE_REFUSALS_H_
#define WSROUTER_ENGINE_REFUSALS_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"

namespace wsrouter {

// How every directory refuses, in the order in which it must ask.
absl::Status ClientAlreadyOwned(uint64_t others);
absl::Status ConnectionsExhausted(uint64_t owned);
absl::Status ClientExhausted(uint32_t connections_per_client);
absl::Status RoomMembersExhausted(uint64_t members);

// How every event log refuses.
absl::Status EventLogOff();
absl::Status TooManyGroups(size_t groups);

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REFUSALS_H_
