#ifndef WSROUTER_CORE_ENVELOPE_H_
#define WSROUTER_CORE_ENVELOPE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/time/time.h"
#include "core/frame.h"
#include "core/ids.h"
#include "core/keep.h"
#include "core/limits.h"

namespace wsrouter {

// What can be addressed.
struct Everyone {  // every shard of the cluster
  friend bool operator==(const Everyone&, const Everyone&) = default;
};
struct ThisNode {  // every shard of the node it is published on
  friend bool operator==(const ThisNode&, const ThisNode&) = default;
};
struct Inbox {  // one shard of the node it is subscribed on; where its connections are reached
  uint16_t shard = 0;
  friend bool operator==(const Inbox&, const Inbox&) = default;
};
using Topic =
    std::variant<ConnectionId, Inbox, ClientId, RoomName, ChannelName, Everyone, ThisNode>;

// A topic as text that no other topic has: a letter for its kind, then its name.
std::string KeyOf(const Topic& topic);

using Labels = std::map<std::string, std::string>;

struct CloseWith {
  uint16_t code = 0;
  std::string reason;
};

enum class OnDuplicate : uint8_t {
  kAllow,    // the client gets one more connection
  kReplace,  // its other connections are closed 4020
  kReject,   // refused with CLIENT_ALREADY_OWNED
};

// Whom a push leaves out. Made once for all rooms of a push and all shards that get it.
struct Exceptions {
  absl::flat_hash_set<ConnectionId> connections;
  absl::flat_hash_set<ClientId> clients;
};

// What is to happen to those whom the topic addresses. A new remote action is a new struct here;
// the compiler lists the places that must handle it.
struct Deliver {  // to everybody addressed, but for `except`
  FramePtr frame;
  std::optional<SlowConsumerPolicy> slow_consumer;  // the shard's default where absent
  std::shared_ptr<const Exceptions> except;         // null: nobody is left out
  std::string conflation_key = {};  // with kConflate, among the pushes to the same topic
  Position position = {};           // in the room's history; the broker says it
};
struct Own {
  ClientId client;
  OnDuplicate on_duplicate = OnDuplicate::kAllow;
  std::vector<RoomName> rooms;
  Labels labels;
  std::optional<absl::Time> expires_at;
  std::vector<std::string> may_join = {};  // patterns of rooms (core/room_pattern.h)
};
struct Release {
  std::optional<CloseWith> close;
};
struct Join {
  std::vector<RoomName> rooms;
};
struct Leave {
  std::vector<RoomName> rooms;
};
struct Disconnect {
  CloseWith close;
  // Its client has come back on another connection: nobody hears of an end.
  bool handed_over = false;
};
// Asks for a description of the addressed connections, by counter from `after` on, so that pages
// can be put together from several shards.
struct Describe {
  std::optional<ConnectionId> after;
  uint32_t count = kPageDefault;
  // To a room: of these clients alone, and of each the connection in the room that opened last,
  // without its rooms.
  std::vector<ClientId> clients = {};
};
// Asks for the connections that nobody owns yet to be announced as CONNECTED to one watcher.
struct AnnouncePending {
  uint64_t watcher = 0;
};
// Asks the shards of a node to write again what the directory must know of their connections. The
// answer's `matched` is their number.
struct Reassert {};
// A payload for the backends that subscribe to a channel.
struct ToChannel {
  FramePtr frame;
};

using Action = std::variant<Deliver, Own, Release, Join, Leave, Disconnect, Describe,
                            AnnouncePending, Reassert, ToChannel>;

// Whose receipts the publisher waits for.
enum class Receipts : uint8_t {
  kLocal,   // this node's; of other nodes it learns their number alone
  kRouted,  // those of every node that was handed the envelope
};

struct Envelope {
  Topic to;
  Action action;
  Receipts receipts = Receipts::kRouted;
  ClientId from = {};  // in whose name a payload is sent: limits charge it; empty: nobody's
  std::shared_ptr<const Keep> keep = nullptr;  // told the broker; null: what the room says
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_ENVELOPE_H_
