#include "control/backend_convert.h"

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "control/backend_question.h"
#include "control/checks.h"
#include "control/convert.h"
#include "control/errors.h"
#include "core/close_code.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// Of two labels with one key the service's counts, and so does its end of the identity.
void Merge(const Own& proved, Own& own) {
  for (const RoomName& room : proved.rooms) {
    if (std::ranges::find(own.rooms, room) == own.rooms.end()) own.rooms.push_back(room);
  }
  for (const std::string& pattern : proved.may_join) {
    if (std::ranges::find(own.may_join, pattern) == own.may_join.end()) {
      own.may_join.push_back(pattern);
    }
  }
  own.labels.insert(proved.labels.begin(), proved.labels.end());
  if (!own.expires_at.has_value()) own.expires_at = proved.expires_at;
}

void CheckMerged(Checks& checks, const Own& own) {
  if (own.labels.size() > kLabelsMax) {
    checks.Fail(BadField("accept.labels", "TOO_MANY_ITEMS",
                         fmt::format("has {} entries with those of the token, want at most {}",
                                     own.labels.size(), kLabelsMax)));
  }
}

Own ReadOwn(Checks& checks, const v1::Accept& accept, const std::optional<Own>& proved,
            absl::Time now) {
  Own own = {.client = {accept.client_id()},
             .on_duplicate = checks.Duplicates("accept.on_duplicate", accept.on_duplicate()),
             .rooms = checks.List<RoomName>("accept.rooms", accept.rooms()),
             .labels = checks.LabelMap(accept.labels()),
             .expires_at = {},
             .may_join = checks.Patterns("accept.may_join", accept.may_join())};
  if (accept.has_expires_at()) own.expires_at = checks.Expiry(accept.expires_at(), now);
  if (!accept.client_id().empty()) {
    checks.Required<ClientId>("accept.client_id", accept.client_id());
  } else if (proved.has_value()) {
    own.client = proved->client;
  }
  if (proved.has_value()) Merge(*proved, own);
  CheckMerged(checks, own);
  return own;
}

absl::StatusOr<ConnectAnswer> ReadAccept(const v1::Accept& accept, const ConnectQuestion& question,
                                         size_t payload_bytes_max, absl::Time now) {
  Checks checks;
  Admission admission;
  Own own = ReadOwn(checks, accept, question.proved, now);
  if (!own.client.value.empty()) {
    admission.own = std::move(own);
  } else if (!own.rooms.empty() || !own.labels.empty() || own.expires_at.has_value() ||
             !own.may_join.empty()) {
    checks.FailMissing("accept.client_id",
                       "is empty, and nobody can have rooms, labels, patterns or an end");
  }
  if (accept.first_size() > kFirstPayloadsMax) {
    checks.Fail(BadField(
        "accept.first", "TOO_MANY_ITEMS",
        fmt::format("has {} entries, want at most {}", accept.first_size(), kFirstPayloadsMax)));
  }
  for (int i = 0; i < accept.first_size() && checks.ok(); ++i) {
    admission.greetings.push_back(checks.Payload(accept.first(i), payload_bytes_max));
  }
  admission.subprotocol = accept.subprotocol();
  const auto& offered = question.handshake->offered_subprotocols;
  if (!admission.subprotocol.empty() &&
      std::ranges::find(offered, admission.subprotocol) == offered.end()) {
    checks.Fail(BadField("accept.subprotocol", "FIELD_INVALID", "is none that the client offered"));
  }
  if (!checks.ok()) return checks.status();
  return admission;
}

absl::StatusOr<ConnectAnswer> ReadRefuse(const v1::Refuse& refuse) {
  Checks checks;
  const uint32_t code =
      refuse.code() == 0 ? static_cast<uint32_t>(CloseCode::kForbidden) : refuse.code();
  Denial denial = {.close = checks.Closing("refuse.", code, refuse.reason()), .retry_after = {}};
  const google::protobuf::Duration& after = refuse.retry_after();
  denial.retry_after = absl::Seconds(after.seconds()) + absl::Nanoseconds(int64_t{after.nanos()});
  if (denial.retry_after < absl::ZeroDuration() || denial.retry_after > absl::Hours(24)) {
    checks.Fail(BadField("refuse.retry_after", "FIELD_OUT_OF_RANGE", "want 0 to 24 hours"));
  }
  if (!checks.ok()) {
    return Refusal(absl::StatusCode::kPermissionDenied, ReasonOf(checks.status()),
                   StdView(checks.status().message()));
  }
  return denial;
}

}  // namespace

v1::ConnectRequest ToRequest(const ConnectQuestion& question) {
  v1::ConnectRequest request;
  request.set_connection_id(question.connection.ToString());
  *request.mutable_client() = ToProto(*question.handshake);
  if (question.proved.has_value()) {
    const Own& proved = *question.proved;
    request.set_token_client_id(proved.client.value);
    for (const RoomName& room : proved.rooms) request.add_token_rooms(room.value);
    for (const auto& [key, value] : proved.labels) (*request.mutable_token_labels())[key] = value;
  }
  return request;
}

v1::MessageRequest ToRequest(const MessageQuestion& question) {
  v1::MessageRequest request;
  request.set_connection_id(question.connection.ToString());
  request.set_client_id(question.client.value);
  *request.mutable_payload() = ToPayload(question.opcode, question.payload);
  for (const RoomName& room : question.rooms) request.add_rooms(room.value);
  request.set_room(question.room.value);
  request.set_path(ToUtf8(question.handshake->path));
  return request;
}

v1::JoinCheckRequest ToRequest(const JoinQuestion& question) {
  v1::JoinCheckRequest request;
  request.set_connection_id(question.connection.ToString());
  request.set_client_id(question.client.value);
  request.set_room(question.room.value);
  *request.mutable_client() = ToProto(*question.handshake);
  for (const RoomName& room : question.rooms) request.add_rooms(room.value);
  return request;
}

v1::DisconnectedRequest ToRequest(const Event& event, const Handshake& handshake) {
  v1::DisconnectedRequest request;
  request.set_connection_id(event.connection.ToString());
  request.set_client_id(event.client.value);
  *request.mutable_disconnected() = ToProto(std::get<event::Disconnected>(event.detail));
  request.set_path(ToUtf8(handshake.path));
  *request.mutable_at() = ToProto(event.at);
  return request;
}

absl::StatusOr<ConnectAnswer> ReadAnswer(const v1::ConnectResponse& response,
                                         const ConnectQuestion& question, size_t payload_bytes_max,
                                         absl::Time now) {
  switch (response.decision_case()) {
    case v1::ConnectResponse::kAccept:
      return ReadAccept(response.accept(), question, payload_bytes_max, now);
    case v1::ConnectResponse::kRefuse:
      return ReadRefuse(response.refuse());
    default:
      return BadField("decision", "FIELD_MISSING", "is neither accept nor refuse");
  }
}

absl::StatusOr<JoinVerdict> ReadAnswer(const v1::JoinCheckResponse& response) {
  switch (response.decision_case()) {
    case v1::JoinCheckResponse::kAllow:
      return JoinVerdict{absl::OkStatus()};
    case v1::JoinCheckResponse::kDeny: {
      const std::string& why = response.deny().reason();
      if (why.size() <= kCloseReasonBytesMax) return JoinVerdict{JoinForbidden(why)};
      // A denial that is not in order is a denial all the same.
      return Refusal(absl::StatusCode::kPermissionDenied, "FIELD_TOO_LONG",
                     "deny.reason is longer than 123 octets");
    }
    default:
      return BadField("decision", "FIELD_MISSING", "is neither allow nor deny");
  }
}

}  // namespace wsrouter
