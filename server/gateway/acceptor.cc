#include "gateway/acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace wsrouter {
namespace {

constexpr int kPauseMilliseconds = 100;  // after the last descriptor was taken
constexpr int kAcceptsPerTurn = 256;

// How long sent octets may stay unacknowledged before the kernel gives a peer up. It covers what a
// Ping cannot: a peer that vanished while our output was backed up.
constexpr unsigned kUserTimeoutMilliseconds = 30'000;

}  // namespace

absl::Status Acceptor::Start() {
  stop_ = UniqueFd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!stop_.valid()) return absl::InternalError("no eventfd for the acceptor");
  thread_ = std::thread([this] { Run(); });
  return absl::OkStatus();
}

void Acceptor::Stop() {
  if (!thread_.joinable()) return;
  (void)eventfd_write(stop_.get(), 1);  // cannot fail: the counter is at most 1
  thread_.join();
  listeners_.clear();
}

void Acceptor::Run() {
  std::vector<pollfd> polled = {{.fd = stop_.get(), .events = POLLIN, .revents = 0}};
  for (const Listener& listener : listeners_) {
    polled.push_back({.fd = listener.fd.get(), .events = POLLIN, .revents = 0});
  }
  bool paused = false;
  while (true) {
    const nfds_t watched = paused ? 1 : polled.size();
    if (poll(polled.data(), watched, paused ? kPauseMilliseconds : -1) < 0 && errno != EINTR) {
      Log(LogLevel::kError, "acceptor cannot poll", {{"errno", errno}});
      return;
    }
    if ((polled[0].revents & POLLIN) != 0) return;
    paused = false;
    for (size_t i = 1; i < watched; ++i) {
      if (polled[i].revents != 0 && !AcceptAll(listeners_[i - 1])) paused = true;
    }
  }
}

bool Acceptor::AcceptAll(const Listener& listener) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    UniqueFd fd(accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&address), &size,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      Place(std::move(fd), address);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      counters_.Add(Counter::kAcceptPauses);
      Say("accepting pauses", "no descriptors or memory");
      return false;
    } else if (errno == EAGAIN) {
      return true;
    }  // else: that peer has gone again
  }
  return true;
}

void Acceptor::Place(UniqueFd fd, const sockaddr_storage& address) {
  uint64_t sockets = 0;
  ShardLoop* emptiest = shards_.front().get();
  for (const std::unique_ptr<ShardLoop>& shard : shards_) {
    sockets += shard->sockets();
    if (shard->sockets() < emptiest->sockets()) emptiest = shard.get();
  }
  if (sockets >= connections_max_) {
    Refuse("the node has as many connections as it may");
    return;
  }
  PeerAddress peer = PeerOf(address);
  const AddressKey key = peer.key;
  if (!addresses_.Enter(key)) {
    Refuse("an address has as many connections as it may");
    return;
  }
  const int on = 1;
  (void)setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  (void)setsockopt(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMilliseconds,
                   sizeof(kUserTimeoutMilliseconds));
  NewSocket socket = {.fd = std::move(fd), .peer = std::move(peer)};
  if (!emptiest->Offer(socket)) {
    addresses_.Leave(key);
    Refuse("a shard's mailbox is full");
  }
}

void Acceptor::Refuse(std::string_view why) {
  counters_.Add(Counter::kAcceptsRefused);
  Say("connection refused", why);
}

void Acceptor::Say(std::string_view event, std::string_view why) {
  int64_t suppressed = 0;
  if (!refusals_.Allow(absl::ToInt64Seconds(clock_.Now().uptime), &suppressed)) return;
  Log(LogLevel::kWarning, event, {{"why", why}, {"suppressed", suppressed}});
}

}  // namespace wsrouter
