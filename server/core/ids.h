#ifndef WSROUTER_CORE_IDS_H_
#define WSROUTER_CORE_IDS_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace wsrouter {

// A value that does not convert to another kind of id, although both are text on the wire.
template <typename Kind>
struct Id {
  std::string value;

  friend auto operator<=>(const Id&, const Id&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const Id& id) {
    return H::combine(std::move(h), id.value);
  }
};

using ClientId = Id<struct ClientKind>;      // who: the user or device that a service trusts
using RoomName = Id<struct RoomKind>;        // where: a set of members
using ChannelName = Id<struct ChannelKind>;  // a topic that backends subscribe to

// One run of one process. A restarted node has the same server_id and another incarnation, so it
// is never taken for its dead self.
struct NodeIdentity {
  std::string server_id;
  uint64_t incarnation = 0;

  friend auto operator<=>(const NodeIdentity&, const NodeIdentity&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const NodeIdentity& id) {
    return H::combine(std::move(h), id.server_id, id.incarnation);
  }
};

// One WebSocket. Names the node and the shard that hold it, so it is routable without a lookup,
// and a counter that is never reused. As text: `<server_id>.<incarnation>.<shard>.<counter>`,
// the last three in hexadecimal.
struct ConnectionId {
  NodeIdentity node;
  uint16_t shard = 0;
  uint64_t counter = 0;

  std::string ToString() const;
  // Nothing unless `text` is exactly what ToString gives for some id.
  static std::optional<ConnectionId> Parse(std::string_view text);

  friend auto operator<=>(const ConnectionId&, const ConnectionId&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const ConnectionId& id) {
    return H::combine(std::move(h), id.node, id.shard, id.counter);
  }
};

inline constexpr size_t kNameBytesMax = 255;

// Whether `name` can be a client id, room or channel: 1 to 255 octets of UTF-8 without control
// characters. `field` names it in the message of the refusal.
absl::Status CheckName(std::string_view field, std::string_view name);

}  // namespace wsrouter

#endif  // WSROUTER_CORE_IDS_H_
