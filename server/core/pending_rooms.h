#ifndef WSROUTER_CORE_PENDING_ROOMS_H_
#define WSROUTER_CORE_PENDING_ROOMS_H_

#include <optional>
#include <string>
#include <utility>

#include "core/shard.h"

namespace wsrouter {

// An answer that waits for several rooms; the last one to be settled finishes it.
struct Shard::PendingRooms {
  explicit PendingRooms(ReceiptPart answer) : part(std::move(answer)) {}
  ~PendingRooms() { part.Finish(std::move(receipt)); }

  void Settle(const RoomName& room, RoomChange::Result result, absl::Status refusal,
              RoomSize size) {
    receipt.rooms.push_back({.room = room,
                             .result = result,
                             .refusal = std::move(refusal),
                             .members = size.members,
                             .connections = size.connections});
  }
  void Refuse(const RoomName& room, absl::Status refusal) {
    Settle(room, RoomChange::Result::kRefused, std::move(refusal), {});
  }

  ReceiptPart part;
  Receipt receipt;
  bool by_client = false;         // it asked itself,
  std::string frame_id;           // by this frame,
  std::optional<Position> since;  // with what it has had of the room
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_PENDING_ROOMS_H_
