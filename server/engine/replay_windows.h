#ifndef WSROUTER_ENGINE_REPLAY_WINDOWS_H_
#define WSROUTER_ENGINE_REPLAY_WINDOWS_H_

#include <bitset>
#include <cstdint>
#include <list>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "core/ids.h"

namespace wsrouter {

// Lets each sequence number of each sender in once. Remembers the newest kSequences numbers of a
// sender; older ones are refused. Beyond `senders_max` senders, the one not heard of for longest is
// forgotten.
class ReplayWindows {
 public:
  static constexpr uint64_t kSequences = 1024;

  explicit ReplayWindows(size_t senders_max) : senders_max_(senders_max) {}

  absl::Status Admit(const NodeIdentity& sender, uint64_t sequence);

 private:
  struct Window {
    NodeIdentity sender;
    uint64_t newest = 0;
    std::bitset<kSequences> seen = {};  // sequence n at n % kSequences
  };

  Window& WindowOf(const NodeIdentity& sender);

  const size_t senders_max_;
  std::list<Window> windows_;  // the sender that was heard of last is in front
  absl::flat_hash_map<NodeIdentity, std::list<Window>::iterator> places_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REPLAY_WINDOWS_H_
