#ifndef WSROUTER_CORE_CONNECTION_H_
#define WSROUTER_CORE_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "core/event.h"
#include "core/outbox.h"

namespace wsrouter {

struct Client;
struct Room;

// One open WebSocket, as the rules see it. Its shard's thread alone touches it.
//
// The transport derives from it what a socket needs, creates it and, after Shard::OnClose,
// destroys it; one that is parked then it keeps, also without a socket, until Transport::Close.
struct Connection {
  struct Membership {
    Room* room;
    size_t place;  // index in room->members
  };

  // A Join that the directory has not answered yet. A Leave or Release withdraws it.
  struct PendingJoin {
    uint64_t ticket;
    RoomName room;
    bool adds;  // it was not a member when it asked, so it needs one of its rooms_per_connection
  };

  // How many pushes were queued for it, modulo 2^32, but for those that have given way since.
  uint32_t pushes() const { return outbox.next_number() - not_pushes; }

  uint64_t counter = 0;      // the part of its id that differs within the shard
  Client* client = nullptr;  // who it is; null while nobody owns it
  std::vector<Membership> rooms;
  std::vector<PendingJoin> joins_pending;
  // Of its Own; the directory may have to be told again.
  OnDuplicate on_duplicate : 2 = OnDuplicate::kAllow;
  bool closing : 1 = false;      // our Close is queued: nothing may be sent behind it
  bool own_pending : 1 = false;  // the directory has been asked who owns it
  bool asking : 1 = false;       // a service was asked what it may or means, and has not answered
  bool speaks : 1 = false;       // wsrouter.v1.json
  bool held : 1 = false;         // catching up with the history of a room (core/shard_recovery.h)
  bool parked = false;           // closing, and yet known, since its client may come back
  bool welcomed = false;         // as who its Own will make it
  bool slow = false;             // a frame was dropped since the outbox was last empty
  // Of the frames that the outbox has counted: those of the node itself, and pushes that gave way.
  uint32_t not_pushes = 0;
  Outbox outbox;
  std::shared_ptr<const Handshake> handshake;
  std::unique_ptr<const Labels> labels;  // null while there are none
  // Patterns of the rooms that it may join by itself (core/room_pattern.h); null while there are
  // none.
  std::unique_ptr<const std::vector<std::string>> may_join;
  absl::Time connected_at;
  absl::Duration opened_uptime;
  // When, on the uptime clock, something is due whether or not anything happens: the end of the
  // auth timeout, or the expiry of what proved the identity.
  absl::Duration deadline = absl::InfiniteDuration();
  absl::Time expires_at = absl::InfiniteFuture();
  uint64_t octets_in = 0;
  uint64_t octets_out = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_CONNECTION_H_
