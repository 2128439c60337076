#ifndef WSROUTER_TESTS_SUPPORT_FAKE_SOCKET_LOOP_H_
#define WSROUTER_TESTS_SUPPORT_FAKE_SOCKET_LOOP_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/socket_loop.h"

namespace wsrouter {

// One socket as its peer sees it.
struct FakeSocket {
  Session* session = nullptr;  // null once it has ended
  std::string received;        // by the peer
  std::string backlog;         // written, not yet accepted
  size_t window = 0;           // octets that are accepted before writes turn into backlog
  bool broken = false;         // writes fail
  bool shut = false;           // our side has ended
};

// What the class of gateway/socket_loop.h is when fake_socket_loop.cc is linked in its place: a
// program whose objects define it takes nothing from the library's socket_loop.cc.
//
// The loop of the ShardLoop that is started while a FakeNetwork exists does what `script` does,
// on the shard's thread; everything but the constructor belongs to the script. What the real
// SocketLoop forbids its owner aborts.
class FakeNetwork {
 public:
  explicit FakeNetwork(std::function<void(FakeNetwork&)> script);
  ~FakeNetwork();

  // A turn of the loop: events come between the two, a Wake that waits comes at the end.
  void BeginTurn();
  void EndTurn();
  bool in_turn() const { return in_turn_; }
  bool ended() const { return broken_off_; }  // the loop was told to

  // As in the real loop, nothing is read while output waits. False when nothing happened.
  bool Receive(FakeSocket& socket, std::string_view octets);
  // The peer reads: as many more octets are accepted.
  void Accept(FakeSocket& socket, size_t octets);
  // The peer's end, or a reset.
  void End(FakeSocket& socket);
  void Tick();

  // In the order in which they were adopted.
  std::vector<std::unique_ptr<FakeSocket>>& sockets() { return sockets_; }
  bool refuses_adoption = false;
  size_t window = 0;  // of sockets that come

 private:
  friend class SocketLoop;

  const std::function<void(FakeNetwork&)> script_;
  SocketLoop::Handler* handler_ = nullptr;
  std::vector<std::unique_ptr<FakeSocket>> sockets_;
  bool in_turn_ = false;
  bool may_kill_ = false;
  bool woken_ = false;
  bool broken_off_ = false;
};

// Aborts with `what` unless `holds`.
void Require(bool holds, std::string_view what);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_FAKE_SOCKET_LOOP_H_
