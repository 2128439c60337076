#ifndef WSROUTER_CORE_ERROR_H_
#define WSROUTER_CORE_ERROR_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace wsrouter {

// A status with a stable upper-case reason beside it (`CAPACITY_ROOM_MEMBERS`), which callers may
// act on; the message is for people. The code says what the caller should do.
absl::Status Refusal(absl::StatusCode code, std::string_view reason, std::string_view message);

// The reason given to Refusal; empty for other statuses.
std::string ReasonOf(const absl::Status& status);

absl::Status ConnectionGone();
absl::Status ConnectionNotOwned();

}  // namespace wsrouter

#endif  // WSROUTER_CORE_ERROR_H_
