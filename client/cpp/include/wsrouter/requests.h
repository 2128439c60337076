#ifndef WSROUTER_CLIENT_REQUESTS_H_
#define WSROUTER_CLIENT_REQUESTS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "wsrouter/v1/events.pb.h"

// The requests of BackendClient as plain structs, to be written with designated initializers. What
// the fields mean, and their limits, stands in router.proto beside the fields of the same names.
namespace wsrouter::client {

// Who or what a call is about: three kinds of text that must not be confused.
struct ConnectionId {
  std::string value;
};
struct ClientId {
  std::string value;
};
struct RoomName {
  std::string value;
};
using Member = std::variant<ConnectionId, ClientId>;
using Target = std::variant<ConnectionId, ClientId, RoomName>;

struct Payload {
  std::string octets = {};
  bool binary = false;

  static Payload Text(std::string utf8) { return {std::move(utf8), false}; }
  static Payload Binary(std::string octets) { return {std::move(octets), true}; }
};

struct Delivery {
  v1::SlowConsumerPolicy slow_consumer = v1::SLOW_CONSUMER_POLICY_UNSPECIFIED;
  v1::Wait wait = v1::WAIT_UNSPECIFIED;
};

struct CloseReason {
  uint16_t code = v1::CLOSE_CODE_DISCONNECTED;
  std::string reason = {};
};

struct OwnRequest {
  std::string connection_id = {};
  std::string client_id = {};
  v1::OnDuplicate on_duplicate = v1::ON_DUPLICATE_UNSPECIFIED;
  std::vector<std::string> rooms = {};
  std::map<std::string, std::string> labels = {};
  std::optional<absl::Time> expires_at = {};
};

struct PushRequest {
  std::vector<std::string> rooms = {};
  Payload payload = {};
  std::string from_client_id = {};
  std::vector<std::string> except_connection_ids = {};
  std::vector<std::string> except_client_ids = {};
  Delivery delivery = {};
  bool reliable = false;
  std::string idempotency_key = {};
  uint64_t version = 0;
  std::string version_epoch = {};
};

struct PushAllRequest {
  Payload payload = {};
  std::vector<std::string> except_connection_ids = {};
  std::vector<std::string> except_client_ids = {};
  Delivery delivery = {};
};

struct SendToClientRequest {
  std::string client_id = {};
  Payload payload = {};
  std::string from_client_id = {};
  Delivery delivery = {};
};

struct SendToConnectionRequest {
  std::string connection_id = {};
  Payload payload = {};
  Delivery delivery = {};
};

struct WatchRequest {
  std::vector<v1::EventKind> kinds = {};  // empty: all except MESSAGE
  std::vector<std::string> rooms = {};
  std::vector<std::string> client_ids = {};
  bool include_messages = false;
  // For the first stream; every resumed one includes them, if CONNECTED is among the kinds.
  bool include_pending = true;
};

// Of the event log; `events.proto` says more at Consumption.
struct ConsumeRequest {
  std::string group = {};
  std::string consumer = {};            // for people
  std::vector<v1::LogKind> kinds = {};  // empty: all but ROOM_MESSAGE
  uint32_t in_hand = 100;               // so many entries at a time wait for Done or Again
  std::optional<absl::Duration> visibility = {};
  bool from_start = false;
};

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_REQUESTS_H_
