#ifndef WSROUTER_ENGINE_SESSION_CODEC_H_
#define WSROUTER_ENGINE_SESSION_CODEC_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/sessions.h"

namespace wsrouter {

// A session as Redis keeps it: wire.Session.
std::string EncodeSession(const SessionRecord& record);
// What that of any session of this connection begins with, and of no other's.
std::string SessionBegin(const ConnectionId& connection);
// INVALID_ARGUMENT names the field that is wrong.
absl::StatusOr<SessionRecord> DecodeSession(std::string_view octets);

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_SESSION_CODEC_H_
