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
#include "gateway/connect_rate.h"
#include "gateway/listener.h"
#include "gateway/pressure.h"
#include "gateway/shard_loop.h"

namespace wsrouter {

// The thread that owns the listening sockets. It gives each accepted one to the shard with the
// fewest, unless the node or the peer's address has as many as it may.
//
// Without descriptors, but for those that the node keeps for itself, and while too many requests
// are under way it pauses instead of spinning: who waits in the backlog is accepted as soon as
// others leave, or have completed theirs.
class Acceptor {
 public:
  struct Parts {
    std::vector<Listener> listeners;
    uint32_t connections_max;
    bool tls = false;
    uint32_t descriptors_max;  // of clients: the rest of what the process may have is the node's
    AddressLimit& addresses;
    ConnectRate connects;
    Pressure& pressure;
    const std::vector<std::unique_ptr<ShardLoop>>& shards;
    Counters& counters;
    const Clock& clock;
  };

  explicit Acceptor(Parts parts)
      : listeners_(std::move(parts.listeners)),
        connections_max_(parts.connections_max),
        tls_(parts.tls),
        descriptors_max_(parts.descriptors_max),
        addresses_(parts.addresses),
        connects_(std::move(parts.connects)),
        pressure_(parts.pressure),
        shards_(parts.shards),
        counters_(parts.counters),
        clock_(parts.clock) {}
  ~Acceptor() { Stop(); }

  absl::Status Start();
  // Closes the listening sockets. Idempotent.
  void Stop();

 private:
  void Run();
  // How many milliseconds to pause now.
  int AcceptAll(const Listener& listener);
  int PauseForDescriptors();
  void WatchMemory();
  uint64_t sockets() const;
  void Place(UniqueFd fd, const sockaddr_storage& address);
  void Refuse(Counter cause, std::string_view why);
  void Say(std::string_view event, std::string_view why);

  std::vector<Listener> listeners_;
  const uint32_t connections_max_;
  const bool tls_;
  const uint32_t descriptors_max_;
  AddressLimit& addresses_;
  ConnectRate connects_;
  Pressure& pressure_;
  const std::vector<std::unique_ptr<ShardLoop>>& shards_;
  Counters& counters_;
  const Clock& clock_;
  LogLimiter refusals_{1};
  absl::Duration memory_due_;     // when to look at it again
  absl::Duration give_back_due_;  // when what is free may be given back again
  UniqueFd stop_;                 // an eventfd
  std::thread thread_;
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_ACCEPTOR_H_
