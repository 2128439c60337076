#ifndef WSROUTER_CORE_PRESENCE_DESK_H_
#define WSROUTER_CORE_PRESENCE_DESK_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "base/strings.h"
#include "core/connection.h"
#include "core/frame.h"
#include "core/ids.h"
#include "core/interest.h"
#include "core/presence.h"

namespace wsrouter {

// Which connections of a shard hear of who is in which of their rooms, and what they have heard.
//
// Each hears the whole state first, then what changes. In its outbox waits at most one frame of a
// room: who has not read the last one hears no change, but once it has, the whole state again
// (counted: presence_frames_skipped_total). So nobody is wrong for good, and a slow reader costs
// one frame a room.
//
// Owned by one shard thread; not synchronised.
class PresenceDesk {
 public:
  // Puts a frame into the outbox of a connection. False where it does not fit.
  using Queue = std::function<bool(Connection&, const FrameRef&)>;

  // `presence` may be null: nobody hears anything then.
  PresenceDesk(std::shared_ptr<Presence> presence, uint16_t shard, PostTask post,
               Counters& counters, Queue queue);

  // The connection, a member, hears of the room from now on: the state at the end of the turn, or
  // when it is known. Refuses with PRESENCE_OFF, PRESENCE_PER_CONNECTION or PRESENCE_CAPACITY.
  absl::Status TurnOn(Connection& connection, const RoomName& room);
  // Must be called before a membership ends.
  void TurnOff(const Connection& connection, const RoomName& room);
  void TurnOff(const Connection& connection);  // of all its rooms

  void EndTurn(absl::Duration now);

 private:
  struct Hearer {
    Connection* connection;
    bool behind = true;   // is to hear the whole state
    bool queued = false;  // it was sent a frame, the one with `number` in its outbox
    uint32_t number = 0;
  };
  struct Room {
    std::shared_ptr<const PresenceState> told;  // null: not known yet
    FrameRef full;                              // of it; made when somebody is to hear it
    absl::flat_hash_map<uint64_t, Hearer> hearers;
  };

  bool Hears(const Connection& connection, const RoomName& room) const;
  void OnNews(const RoomName& room);
  void TellBehind();
  void TellFull(const RoomName& name, Room& room, Hearer& hearer);
  void Tell(Hearer& hearer, const FrameRef& frame);

  const std::shared_ptr<Presence> presence_;
  const uint16_t shard_;
  const PostTask post_;
  Counters& counters_;
  const Queue queue_;
  StringMap<Room> rooms_;
  bool behind_ = false;  // somebody is
  absl::Duration behind_due_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_PRESENCE_DESK_H_
