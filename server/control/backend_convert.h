#ifndef WSROUTER_CONTROL_BACKEND_CONVERT_H_
#define WSROUTER_CONTROL_BACKEND_CONVERT_H_

#include <cstddef>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/backend.h"
#include "wsrouter/v1/backend.pb.h"

namespace wsrouter {

inline constexpr int kFirstPayloadsMax = 16;  // of one Accept
inline constexpr int kEffectsMax = 100;       // of one message

v1::ConnectRequest ToRequest(const ConnectQuestion& question);
v1::MessageRequest ToRequest(const MessageQuestion& question);
v1::JoinCheckRequest ToRequest(const JoinQuestion& question);
v1::DisconnectedRequest ToRequest(const Event& event, const Handshake& handshake);

// What an answer means to the core. An answer that is not in order is refused as a whole, with
// what is wrong with it: to its service's developer, since it says nothing of what it holds. A
// Refuse that is not in order is a refusal all the same: PERMISSION_DENIED.
absl::StatusOr<ConnectAnswer> ReadAnswer(const v1::ConnectResponse& response,
                                         const ConnectQuestion& question, size_t payload_bytes_max,
                                         absl::Time now);
absl::StatusOr<MessageAnswer> ReadAnswer(const v1::MessageResponse& response,
                                         const ConnectionId& connection, size_t payload_bytes_max,
                                         absl::Time now);
struct JoinVerdict {
  absl::Status status;  // OK: it may join
};
absl::StatusOr<JoinVerdict> ReadAnswer(const v1::JoinCheckResponse& response);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_BACKEND_CONVERT_H_
