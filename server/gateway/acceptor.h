#ifndef WSROUTER_GATEWAY_ACCEPTOR_H_
#define WSROUTER_GATEWAY_ACCEPTOR_H_

#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/unique_fd.h"
#include "core/counters.h"
#include "gateway/address_limit.h"
#include "gateway/listener.h"
#include "gateway/shard_loop.h"

namespace wsrouter {

// The thread that owns the listening sockets. It gives each accepted one to the shard with the
// fewest, unless the node or the peer's address has as many as it may.
//
// Without descriptors it pauses instead of spinning: who waits in the backlog is accepted as soon
// as others leave.
class Acceptor {
 public:
  Acceptor(std::vector<Listener> listeners, uint32_t connections_max, AddressLimit& addresses,
           const std::vector<std::unique_ptr<ShardLoop>>& shards, Counters& counters,
           const Clock& clock)
      : listeners_(std::move(listeners)),
        connections_max_(connections_max),
        addresses_(addresses),
        shards_(shards),
        counters_(counters),
        clock_(clock) {}
  ~Acceptor() { Stop(); }

  absl::Status Start();
  // Closes the listening sockets. Idempotent.
  void Stop();

 private:
  void Run();
  // False when there are no descriptors left.
  bool AcceptAll(const Listener& listener);
  void Place(UniqueFd fd, const sockaddr_storage& address);
  void Refuse(std::string_view why);
  void Say(std::string_view event, std::string_view why);

  std::vector<Listener> listeners_;
  const uint32_t connections_max_;
  AddressLimit& addresses_;
  const std::vector<std::unique_ptr<ShardLoop>>& shards_;
  Counters& counters_;
  const Clock& clock_;
  LogLimiter refusals_{1};
  UniqueFd stop_;  // an eventfd
  std::thread thread_;
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_ACCEPTOR_H_
