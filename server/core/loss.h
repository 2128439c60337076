#ifndef WSROUTER_CORE_LOSS_H_
#define WSROUTER_CORE_LOSS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/frame.h"

namespace wsrouter {

// Frames that were lost in one place of what a client gets.
struct LostFrames {
  void Add(std::string_view of_room) {
    if (count++ == 0) {
      room = of_room;
    } else if (room != of_room) {
      room.clear();
    }
  }

  uint64_t count = 0;
  std::string room;  // that all of them were of; empty: of none, or of several
};

// What a connection has lost since its outbox was last empty. Beside the connection, since few have
// lost anything.
struct Loss {
  uint64_t frames = 0;
  LostFrames behind;  // what waits; the client is told when something else can follow
  LostFrames before;  // what waits; `gap` tells the client
  FrameRef gap;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_LOSS_H_
