#ifndef WSROUTER_CORE_SHARD_PUSH_H_
#define WSROUTER_CORE_SHARD_PUSH_H_

#include <cstdint>
#include <string>

#include "core/client_protocol.h"
#include "core/shard.h"

namespace wsrouter {

// One push on its way through the connections that it addresses.
struct Shard::Push {
  Push(const Topic& to, const Deliver& deliver, SlowConsumerPolicy policy)
      : position(deliver.position), except(deliver.except.get()), slow_consumer(policy) {
    if (policy == SlowConsumerPolicy::kConflate && !deliver.conflation_key.empty()) {
      key = KeyOf(to) + '\n' + deliver.conflation_key;  // a name has no line break
    }
    frame = FrameRef(deliver.frame, {.gives_way = gives_way(), .key = key});
  }

  // For members that speak wsrouter.v1.json: made for the first of them.
  const FrameRef& MsgTo(const Topic& to) {
    if (!msg) {
      const auto* room = std::get_if<RoomName>(&to);
      msg = FrameRef(
          MsgFrame(to, *frame, position),
          {.gives_way = gives_way(), .room = room == nullptr ? "" : room->value, .key = key});
    }
    return msg;
  }

  // For those of them that it leaves out, where it has a position.
  const FrameRef& LeftOutTo(const Topic& to) {
    if (!left_out) left_out = FrameRef(LeftOutFrame(to, position));
    return left_out;
  }

  // Who would rather be cut off than lose it does not lose it to others.
  bool gives_way() const { return slow_consumer != SlowConsumerPolicy::kDisconnect; }

  FrameRef frame;
  const Position& position;
  const Exceptions* except;
  SlowConsumerPolicy slow_consumer;
  std::string key = {};  // of what it replaces; empty: nothing
  Receipt receipt = {};
  FrameRef msg = {};
  FrameRef left_out = {};
  uint64_t msgs_queued = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_SHARD_PUSH_H_
