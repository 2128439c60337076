#ifndef WSROUTER_CONTROL_KEPT_STREAMS_H_
#define WSROUTER_CONTROL_KEPT_STREAMS_H_

#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "control/access_check.h"

namespace wsrouter {

// The open streams of one kind, each with the standing of its caller. Whoever has it locks it.
template <typename Stream>
class KeptStreams {
 public:
  using Fallen = std::vector<std::pair<std::shared_ptr<Stream>, absl::Status>>;

  size_t size() const { return streams_.size(); }
  void Keep(const std::shared_ptr<Stream>& stream, AccessCheck::Standing standing) {
    streams_.emplace(stream.get(), Kept{stream, std::move(standing)});
  }
  // What is returned is to be freed outside the lock.
  std::shared_ptr<Stream> Forget(Stream& stream) {
    return std::move(streams_.extract(&stream).mapped().stream);
  }
  std::vector<std::shared_ptr<Stream>> All() const {
    std::vector<std::shared_ptr<Stream>> all;
    for (const auto& [key, kept] : streams_) all.push_back(kept.stream);
    return all;
  }
  // Those whose callers may not have them any more, once each.
  Fallen TakeFallen() {
    Fallen fallen;
    for (auto& [key, kept] : streams_) {
      if (kept.standing == nullptr) continue;
      absl::Status status = kept.standing();
      if (status.ok()) continue;
      kept.standing = nullptr;
      fallen.emplace_back(kept.stream, std::move(status));
    }
    return fallen;
  }

 private:
  struct Kept {
    std::shared_ptr<Stream> stream;
    AccessCheck::Standing standing;  // null: nothing is asked, or it is ending
  };

  absl::flat_hash_map<Stream*, Kept> streams_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_KEPT_STREAMS_H_
