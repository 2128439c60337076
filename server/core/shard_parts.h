#ifndef WSROUTER_CORE_SHARD_PARTS_H_
#define WSROUTER_CORE_SHARD_PARTS_H_

#include <cstdint>
#include <memory>

#include "core/backend.h"
#include "core/broker.h"
#include "core/counters.h"
#include "core/directory.h"
#include "core/event.h"
#include "core/history.h"
#include "core/interest.h"
#include "core/limits.h"
#include "core/presence.h"
#include "core/sessions.h"
#include "core/transport.h"

namespace wsrouter {

// What a Shard is made of. All that it refers to outlives it.
struct ShardParts {
  NodeIdentity node;
  uint16_t index = 0;
  Limits limits;
  Broker& broker;
  Directory& directory;
  EventSink& events;
  Backend* backend = nullptr;  // null: no service decides about clients
  Transport& transport;
  Subscriber& mailbox;  // the shard's own, where the broker delivers
  Counters& counters;
  Gauges& gauges;
  PostTask post;
  Sessions* sessions = nullptr;                  // null: no client can come back
  History* history = nullptr;                    // null: no room keeps one
  std::shared_ptr<Presence> presence = nullptr;  // null: no client hears who is in a room
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_SHARD_PARTS_H_
