#ifndef WSROUTER_TESTS_SUPPORT_FAULT_PROXY_H_
#define WSROUTER_TESTS_SUPPORT_FAULT_PROXY_H_

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/unique_fd.h"

namespace wsrouter {

// A TCP port of the loopback address that forwards to a server, and can do to the octets whatever
// a bad network does. Faults hold for connections that exist and for later ones. Any thread.
class FaultProxy {
 public:
  enum class Direction { kToServer, kToClient };

  // `target`: the path of a Unix socket, or a port of the loopback address.
  explicit FaultProxy(std::string target);
  ~FaultProxy();
  FaultProxy(const FaultProxy&) = delete;

  uint16_t port() const { return port_; }
  std::string url() const;  // redis://127.0.0.1:port

  // Swallows what comes from now on, silently; the connections stay.
  void Hole(Direction direction);
  // Ends holes, delays and a cut that has not happened.
  void Heal();
  // Lets `octets` more through, over all connections; the one that brings more is closed behind
  // them.
  void CutAfter(Direction direction, size_t octets);
  bool Cuts(Direction direction);  // whether it is still to come
  // Every connection gets an RST.
  void Reset();
  // Holds back everything, in both directions, for so long.
  void Delay(absl::Duration delay);

 private:
  struct Chunk {
    absl::Duration due;  // uptime
    std::string octets;
  };
  struct Pipe {
    std::deque<Chunk> waiting;
    bool ended = false;  // its source has sent everything
  };
  struct Link {
    std::array<UniqueFd, 2> fds;  // by Direction, where the octets go: server, client
    std::array<Pipe, 2> pipes;
    bool dead = false;
  };
  struct Faults {
    std::array<bool, 2> hole{};
    std::array<std::optional<size_t>, 2> cut;
    absl::Duration delay;
    bool reset = false;
    bool stop = false;
  };

  void Change(absl::FunctionRef<void(Faults&)> change);
  void Main();
  int Turn();  // the time until the next octets are due, in ms
  void Accept();
  UniqueFd Connect() const;
  void Read(Link& link, size_t direction);
  int Write(Link& link, size_t direction);

  const std::string target_;
  const SystemClock clock_;
  uint16_t port_ = 0;
  UniqueFd listener_;
  UniqueFd wake_;
  absl::Mutex mutex_;
  Faults faults_ ABSL_GUARDED_BY(mutex_);
  std::list<Link> links_;  // the thread's
  std::thread thread_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_FAULT_PROXY_H_
