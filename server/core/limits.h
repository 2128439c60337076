#ifndef WSROUTER_CORE_LIMITS_H_
#define WSROUTER_CORE_LIMITS_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/time/time.h"

namespace wsrouter {

class Namespaces;

// What becomes of a push for a connection whose outbox is full.
enum class SlowConsumerPolicy : uint8_t {
  kDrop,        // the frame is lost to that connection, counted, and the connection stays
  kDisconnect,  // the connection is closed 4014 (1013 where the client speaks no subprotocol)
  kDropOld,     // the oldest frames that may be lost make room for it
  kConflate,    // likewise; and, full or not, it takes the place of a waiting one with its key
};

// What clients may hear of who else is in their rooms (core/presence.h).
struct PresenceLimits {
  bool on = true;
  absl::Duration interval = absl::Seconds(1);  // between two looks at a room
  absl::Duration grace = absl::Seconds(5);     // who is back within it was never away
  uint32_t named_max = 100;   // clients of a room that are told by name; of more their count
  uint32_t rooms_max = 1000;  // rooms of a node that anybody hears of
  uint32_t rooms_per_connection = 16;  // ... a connection hears of
};

// Every bound of the routing core, with its production default. config.proto has the same values
// with ranges; a refusal under any of them is typed and counted.
struct Limits {
  uint64_t owner_capacity = 1'000'000;         // owned connections in the cluster
  uint64_t room_members_capacity = 5'000'000;  // (room, connection) pairs in the cluster
  uint32_t connections_per_client = 64;
  uint32_t rooms_per_connection = 128;
  size_t slow_consumer_bytes = size_t{4} << 20;  // outbox of one connection
  SlowConsumerPolicy slow_consumer_policy = SlowConsumerPolicy::kDrop;
  std::shared_ptr<const Namespaces> namespaces = {};  // policies of rooms; null: none of their own
  absl::Duration outbox_age_max = absl::Seconds(10);  // a frame waits no longer; zero: off
  uint64_t outbox_budget = uint64_t{1} << 30;  // octets in all outboxes of a node; 0: no limit
  // How long a client whose connection broke off may come back to its session. Zero: never.
  absl::Duration resume_window = absl::Seconds(60);
  size_t parked_max =
      100'000;  // connections without a socket of a node (of a shard, as a Shard sees it)
  absl::Duration auth_timeout = absl::Seconds(10);  // unowned longer than this: 4001
  PresenceLimits presence = {};
};

// What a frame weighs in an outbox besides its octets, should nobody share it: without that, an
// outbox full of tiny frames would hold forty times its bound.
inline constexpr size_t kFrameOverheadBytes = 128;

// How far Pongs and the Close may go beyond slow_consumer_bytes, so that a slow consumer can still
// be told why it is closed.
inline constexpr size_t kControlFramesBytesMax = 4096;
inline constexpr size_t kConflationKeyBytesMax = 64;
inline constexpr uint32_t kLabelsMax = 32;           // labels of one connection
inline constexpr size_t kLabelBytesMax = 1024;       // key and value of one label together
inline constexpr size_t kCloseReasonBytesMax = 123;  // RFC 6455 section 5.5: 125 less the code
inline constexpr uint32_t kShardsMax = 256;          // two hexadecimal digits of a connection id
inline constexpr uint32_t kPageDefault = 100;
inline constexpr uint32_t kPageMax = 1000;

}  // namespace wsrouter

#endif  // WSROUTER_CORE_LIMITS_H_
