#ifndef WSROUTER_CORE_EVENT_H_
#define WSROUTER_CORE_EVENT_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "core/envelope.h"
#include "core/frame.h"
#include "core/ids.h"

namespace wsrouter {

// What a client said when it connected. Headers and cookies by allow-list, names in lower case;
// all of it is the client's word, but for `peer`, `tls` and `forwarded_for`.
struct Handshake {
  std::string path;
  std::string query;
  std::string peer;         // address:port
  std::string subprotocol;  // the selected one
  std::vector<std::string> offered_subprotocols;
  std::map<std::string, std::string> headers;
  std::map<std::string, std::string> cookies;
  bool tls = false;
  std::string forwarded_for;  // the client's address as trusted proxies tell it; empty: they do not
  bool speaks = false;  // the selected subprotocol is wsrouter.v1.json, and the node speaks it
};

enum class CloseCause : uint8_t {
  kClientClosed,    // a Close frame from the client
  kConnectionLost,  // the transport ended without one
  kProtocolError,
  kNotAuthenticated,
  kExpired,
  kSlowConsumer,
  kIdle,
  kSuperseded,
  kDisconnected,  // a service asked for it
  kNodeStopping,
  kNodeLost,     // its node ended without giving its connections back
  kRefused,      // what let it in could not be brought into force
  kRateLimited,  // it sent too many frames
};

enum class SlowCause : uint8_t {
  kFull,       // a frame found its outbox full
  kRecovered,  // the outbox is empty again
  kAge,        // a frame has waited longer than outbox_age_max
  kBudget,     // its outbox was the largest when all together were over outbox_budget
};

namespace event {
struct Connected {
  std::shared_ptr<const Handshake> handshake;
};
struct Owned {
  Labels labels;
  std::optional<absl::Time> expires_at;
};
// Its client has come back: in place of Connected, Owned and Joined here, and of Left and
// Disconnected there.
struct Resumed {
  ConnectionId previous;
  Labels labels;
};
struct Released {};
struct Message {
  Opcode opcode = Opcode::kText;
  std::string payload;
  std::vector<RoomName> rooms;
  RoomName room = {};  // that the client says it is about; empty: none
};
struct Joined {
  RoomName room;
};
struct Left {
  RoomName room;
};
// A connection reads too slowly: the first frame is lost to it; its outbox is empty again; or it is
// closed for that.
struct Slow {
  uint64_t outbox_bytes = 0;
  SlowCause cause = SlowCause::kFull;
  uint64_t frames_lost = 0;  // since its outbox was last empty
};
struct Disconnected {
  CloseCause cause = CloseCause::kConnectionLost;
  CloseWith close;  // code 1006 where no Close frame was seen (RFC 6455 section 7.1.5)
  absl::Duration duration;
  uint64_t octets_in = 0;
  uint64_t octets_out = 0;
};
}  // namespace event

struct Event {
  using Detail =
      std::variant<event::Connected, event::Owned, event::Released, event::Message, event::Joined,
                   event::Left, event::Slow, event::Disconnected, event::Resumed>;
  absl::Time at;
  ConnectionId connection;
  ClientId client;  // the bound identity; empty while there is none
  Detail detail;
};

// The place of `Detail` among the kinds of events, and a set of such places.
template <typename Detail>
inline constexpr size_t kEventKind = [] {
  return []<typename... Details>(const std::variant<Details...>*) {
    size_t kind = 0;
    (void)((std::is_same_v<Detail, Details> || (++kind, false)) || ...);
    return kind;
  }(static_cast<const Event::Detail*>(nullptr));
}();
using EventKinds = std::bitset<std::variant_size_v<Event::Detail>>;

// SEAM 4. Where shards tell what happens to connections. Called on shard threads, must not block:
// who listens has bounded queues of its own and is told what it missed. A connection's events
// come in the order in which they happened.
class EventSink {
 public:
  virtual ~EventSink() = default;

  // False when nobody wants events of this kind, the index of their detail: the shard then does not
  // even make the event.
  virtual bool Wants(size_t kind) const = 0;
  virtual void Emit(Event event) = 0;
  // For one watcher alone (AnnouncePending).
  virtual void EmitTo(uint64_t watcher, Event event) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_EVENT_H_
