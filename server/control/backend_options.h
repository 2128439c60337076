#ifndef WSROUTER_CONTROL_BACKEND_OPTIONS_H_
#define WSROUTER_CONTROL_BACKEND_OPTIONS_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "core/ids.h"

namespace wsrouter {

// What a service is asked. The order is that of BackendRequest's alternatives.
enum class BackendMethod : uint8_t { kConnect, kMessage, kDisconnected, kJoinCheck };
inline constexpr size_t kBackendMethods = 4;
inline constexpr std::string_view kBackendMethodNames[kBackendMethods] = {
    "Connect", "Message", "Disconnected", "JoinCheck"};
inline std::vector<std::string> BackendMethodNames() {
  return {std::begin(kBackendMethodNames), std::end(kBackendMethodNames)};
}
using BackendMethodSet = std::bitset<kBackendMethods>;

inline std::optional<BackendMethod> ParseBackendMethod(std::string_view text) {
  for (size_t i = 0; i < kBackendMethods; ++i) {
    if (text == kBackendMethodNames[i]) return static_cast<BackendMethod>(i);
  }
  return std::nullopt;
}

// Who is asked about the connections to a path and those below it.
struct BackendRoute {
  std::string prefix;
  std::string target;             // a gRPC name; empty: whoever attaches, and nobody else
  std::string rooms_prefix = {};  // what the rooms begin with that answers may name
};

// "<path> <target>[ rooms=<prefix>]", with the word "attached" for no target.
inline std::optional<BackendRoute> ParseBackendRoute(std::string_view text) {
  const size_t blank = text.find(' ');
  if (blank == std::string_view::npos || !text.starts_with('/')) return std::nullopt;
  const std::string_view prefix = text.substr(0, blank);
  std::string_view target = text.substr(blank + 1);
  std::string_view rooms_prefix;
  constexpr std::string_view kRooms = " rooms=";
  if (const size_t rooms = target.find(kRooms); rooms != std::string_view::npos) {
    rooms_prefix = target.substr(rooms + kRooms.size());
    target = target.substr(0, rooms);
    if (rooms_prefix.empty() || rooms_prefix.size() > kNameBytesMax ||
        rooms_prefix.find(' ') != std::string_view::npos) {
      return std::nullopt;
    }
  }
  // Who forgot the target would have a route that is not confined.
  if (target.starts_with(kRooms.substr(1))) return std::nullopt;
  if (target.empty() || target.find(' ') != std::string_view::npos) return std::nullopt;
  if (prefix.find_first_of("?#") != std::string_view::npos) return std::nullopt;
  return BackendRoute{.prefix = std::string(prefix),
                      .target = target == "attached" ? "" : std::string(target),
                      .rooms_prefix = std::string(rooms_prefix)};
}

// What becomes of a client while nobody decides about it.
enum class ConnectOutage : uint8_t {
  kRefuse,
  kAcceptProved,  // whom a token has proved is let in, others are refused
  kHold,          // asked again until `hold_max` is over, then refused
};
enum class MessageOutage : uint8_t { kDisconnect, kDrop };

// Whom the node asks and how long it waits; config.proto says what each means to an operator.
struct BackendOptions {
  std::vector<BackendRoute> routes;
  BackendMethodSet methods = BackendMethodSet().set();
  absl::Duration timeout = absl::Seconds(5);
  uint32_t concurrency_max = 1000;
  uint32_t queue_max = 10'000;
  ConnectOutage connect_outage = ConnectOutage::kRefuse;
  MessageOutage message_outage = MessageOutage::kDisconnect;
  absl::Duration hold_max = absl::Seconds(10);
  std::string tls_ca_file;  // set: services are dialled with TLS
  std::string tls_cert_file;
  std::string tls_key_file;
  size_t message_bytes_max = size_t{4} << 20;  // the largest answer
  size_t payload_bytes_max = size_t{1} << 20;  // in an answer
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_BACKEND_OPTIONS_H_
