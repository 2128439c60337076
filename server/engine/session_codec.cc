#include "engine/session_codec.h"

#include "absl/status/status.h"
#include "engine/own_codec.h"
#include "engine/wire.pb.h"
#include "engine/wire_values.h"

namespace wsrouter {

std::string EncodeSession(const SessionRecord& record) {
  wire::Session session;
  WriteConnection(record.connection, session.mutable_connection());
  session.set_path(record.path);
  WriteOwn(record.own, session.mutable_own());
  return session.SerializeAsString();
}

std::string SessionBegin(const ConnectionId& connection) {
  wire::Session session;
  WriteConnection(connection, session.mutable_connection());
  return session.SerializeAsString();
}

absl::StatusOr<SessionRecord> DecodeSession(std::string_view octets) {
  wire::Session session;
  if (!session.ParseFromArray(octets.data(), static_cast<int>(octets.size()))) {
    return absl::InvalidArgumentError("a session is no protobuf");
  }
  WireReader reader("session");
  SessionRecord record = {.connection = reader.ReadConnection("connection", session.connection()),
                          .path = session.path(),
                          .own = ReadOwn(reader, session.own())};
  if (!reader.ok()) return reader.status();
  return record;
}

}  // namespace wsrouter
