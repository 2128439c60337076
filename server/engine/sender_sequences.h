#ifndef WSROUTER_ENGINE_SENDER_SEQUENCES_H_
#define WSROUTER_ENGINE_SENDER_SEQUENCES_H_

#include <cstdint>
#include <list>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "core/ids.h"

namespace wsrouter {

// Lets the sequence numbers of each sender in as long as they grow. Beyond `senders_max` senders,
// the one not heard of for longest is forgotten.
class SenderSequences {
 public:
  explicit SenderSequences(size_t senders_max) : senders_max_(senders_max) {}

  // OutOfRange: not newer than what was let in before.
  absl::Status Admit(const NodeIdentity& sender, uint64_t sequence);

 private:
  struct Sender {
    NodeIdentity node;
    uint64_t newest = 0;
  };

  Sender& Find(const NodeIdentity& node);

  const size_t senders_max_;
  std::list<Sender> senders_;  // who was heard of last is in front
  absl::flat_hash_map<NodeIdentity, std::list<Sender>::iterator> places_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_SENDER_SEQUENCES_H_
