#include "core/receipt.h"

#include <iterator>
#include <utility>

namespace wsrouter {
namespace {

template <typename T>
void Append(std::vector<T>& all, std::vector<T>&& part) {
  if (all.empty()) {
    all = std::move(part);
  } else {
    all.insert(all.end(), std::move_iterator(part.begin()), std::move_iterator(part.end()));
  }
}

}  // namespace

void Receipt::Add(Receipt&& part) {
  if (status.ok()) status = std::move(part.status);
  partial = partial || part.partial;
  nodes += part.nodes;
  matched += part.matched;
  queued += part.queued;
  dropped_slow_consumer += part.dropped_slow_consumer;
  dropped_mailbox_full += part.dropped_mailbox_full;
  Append(rooms, std::move(part.rooms));
  Append(displaced, std::move(part.displaced));
  Append(connections, std::move(part.connections));
}

}  // namespace wsrouter
