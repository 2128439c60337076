#ifndef WSROUTER_GATEWAY_BATCH_H_
#define WSROUTER_GATEWAY_BATCH_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/frame.h"
#include "core/outbox.h"

namespace wsrouter {

// Joins what waits in an outbox into one piece, so that it costs one system call.
//
// The members of a room mostly wait for the same frames. So the last piece is kept, and an outbox
// that begins with just those frames gets it again without a copy.
//
// Owned by one shard thread; not synchronised.
class Batch {
 public:
  // How much is joined at most. Also what may move into the socket library's own queue at once,
  // which our bound on the outbox does not see.
  static constexpr size_t kBytesMax = 64 * 1024;

  // The front of what waits, never empty. Valid until the next call.
  std::string_view Front(const Outbox& outbox);

  // Lets go of the frames; after each round of writes.
  void Forget() { frames_.clear(); }

 private:
  bool IsFrontOf(std::span<const FrameRef> waiting) const;

  std::vector<FrameRef> frames_;  // what bytes_ is joined from
  std::string bytes_;
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_BATCH_H_
