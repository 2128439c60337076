#ifndef WSROUTER_CONTROL_READ_PUSH_H_
#define WSROUTER_CONTROL_READ_PUSH_H_

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/checks.h"
#include "control/policy.h"
#include "core/envelope.h"
#include "wsrouter/v1/router.pb.h"

namespace wsrouter {

// Requests that come as calls and as effects, read into the core's types.

// What all pushes have: a payload and options.
template <typename Request>
Deliver ReadDeliver(Checks& checks, const Request& request, size_t payload_bytes_max) {
  Deliver deliver = {.frame = checks.Payload(request.payload(), payload_bytes_max)};
  const v1::DeliveryOptions& options = request.options();
  checks.Known("options.slow_consumer", v1::SlowConsumerPolicy_IsValid(options.slow_consumer()));
  checks.Known("options.wait", v1::Wait_IsValid(options.wait()));
  deliver.slow_consumer = ToPolicy(options.slow_consumer());
  deliver.conflation_key = checks.ConflationKey("options.conflation_key", options.conflation_key());
  // Whom limits charge: the envelope's `from`.
  if constexpr (requires { request.from_client_id(); }) {
    checks.Optional<ClientId>("from_client_id", request.from_client_id());
  }
  return deliver;
}

template <typename Request>
void ReadExceptions(Checks& checks, const Request& request, Deliver& deliver) {
  const auto connections =
      checks.Connections("except_connection_ids", request.except_connection_ids());
  const auto clients = checks.List<ClientId>("except_client_ids", request.except_client_ids());
  if (connections.empty() && clients.empty()) return;
  deliver.except = std::make_shared<const Exceptions>(
      Exceptions{.connections = {connections.begin(), connections.end()},
                 .clients = {clients.begin(), clients.end()}});
}

// An idempotency key or an epoch: any name, or none.
inline std::string ReadKeepText(Checks& checks, std::string_view field, const std::string& text) {
  return checks.Optional<RoomName>(field, text).value_or(RoomName()).value;
}

// What the push asks of its rooms' histories; null: nothing.
inline std::shared_ptr<const Keep> ReadKeep(Checks& checks, const v1::PushRequest& request) {
  Keep keep = {
      .reliable = request.reliable(),
      .idempotency_key = ReadKeepText(checks, "idempotency_key", request.idempotency_key()),
      .version = request.version(),
      .version_epoch = ReadKeepText(checks, "version_epoch", request.version_epoch())};
  if (keep.version == 0 && !keep.version_epoch.empty()) {
    checks.FailMissing("version", "is 0, want it set where version_epoch is");
  }
  if (!keep.reliable && keep.idempotency_key.empty() && keep.version == 0) return nullptr;
  return std::make_shared<const Keep>(std::move(keep));
}

// `room` first, then `rooms`, each once.
inline std::vector<RoomName> ReadRooms(Checks& checks, const v1::PushRequest& request) {
  std::vector<RoomName> rooms = checks.List<RoomName>("rooms", request.rooms());
  if (!request.room().empty()) {
    auto room = checks.Required<RoomName>("room", request.room());
    std::erase(rooms, room);
    rooms.insert(rooms.begin(), std::move(room));
  }
  if (rooms.empty()) checks.FailMissing("room", "is empty and so is rooms, want at least one room");
  return rooms;
}

// All but the connection.
inline Own ReadOwn(Checks& checks, const v1::OwnRequest& request, absl::Time now) {
  Own own = {
      .client = checks.Required<ClientId>("client_id", request.client_id()),
      .on_duplicate = checks.Duplicates("on_duplicate", request.on_duplicate()),
      .rooms = checks.List<RoomName>("rooms", request.rooms()),
      .labels = checks.LabelMap(request.labels()),
      .expires_at = {},
      .may_join = checks.Patterns("may_join", request.may_join()),
  };
  if (request.has_expires_at()) own.expires_at = checks.Expiry(request.expires_at(), now);
  return own;
}

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_READ_PUSH_H_
