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

constexpr int kPauseMilliseconds = 100;         // after the last descriptor was taken
constexpr int kHalfOpenPauseMilliseconds = 10;  // a request takes about as long as its client's way
constexpr int kMemoryMilliseconds = 1000;
constexpr absl::Duration kGiveBackEvery = absl::Seconds(10);
constexpr int kAcceptsPerTurn = 256;
// So many at a time that the node has no place for are told so with a 503. Others, and those with
// whom a TLS handshake would come first, are closed without a word.
constexpr uint64_t kToldMax = 256;
constexpr std::string_view kNodeFull = "the node has as many connections as it may";

// How long sent octets may stay unacknowledged before the kernel gives a peer up. It covers what a
// Ping cannot: a peer that vanished while our output was backed up.
constexpr unsigned kUserTimeoutMilliseconds = 30'000;

// What the kernel holds for a peer that it cannot send yet: two pieces of a write. Otherwise it
// takes 4 MiB for each one that does not read, which no bound of ours counts, before its outbox
// begins to fill. What is on its way to the peer is not meant, so this slows nobody down.
constexpr int kUnsentBytes = 128 * 1024;

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
  int pause = 0;
  while (true) {
    WatchMemory();
    const nfds_t watched = pause > 0 ? 1 : polled.size();
    const int quiet = pressure_.watches_memory() ? kMemoryMilliseconds : -1;
    if (poll(polled.data(), watched, pause > 0 ? pause : quiet) < 0 && errno != EINTR) {
      Log(LogLevel::kError, "acceptor cannot poll", {{"errno", errno}});
      return;
    }
    if ((polled[0].revents & POLLIN) != 0) return;
    pause = 0;
    for (size_t i = 1; i < watched; ++i) {
      if (polled[i].revents != 0) pause = std::max(pause, AcceptAll(listeners_[i - 1]));
    }
  }
}

void Acceptor::WatchMemory() {
  const absl::Duration now = clock_.Now().uptime;
  if (now < memory_due_) return;
  memory_due_ = now + absl::Milliseconds(kMemoryMilliseconds);
  if (!pressure_.watches_memory() && !pressure_.memory_short()) return;
  uint64_t resident = ResidentMemory();
  if (pressure_.WouldBeShort(resident) && now >= give_back_due_) {
    // Of what sessions leave behind, much lies between what others have.
    give_back_due_ = now + kGiveBackEvery;
    GiveMemoryBack();
    resident = ResidentMemory();
  }
  pressure_.SetMemory(resident);
}

int Acceptor::AcceptAll(const Listener& listener) {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    if (pressure_.half_open_full()) {
      counters_.Add(Counter::kHalfOpenPauses);
      Say("accepting pauses", "too many requests are under way");
      return kHalfOpenPauseMilliseconds;
    }
    if (sockets() >= descriptors_max_) return PauseForDescriptors();
    sockaddr_storage address{};
    socklen_t size = sizeof(address);
    UniqueFd fd(accept4(listener.fd.get(), reinterpret_cast<sockaddr*>(&address), &size,
                        SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (fd.valid()) {
      Place(std::move(fd), address);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return PauseForDescriptors();
    } else if (errno == EAGAIN) {
      return 0;
    }  // else: that peer has gone again
  }
  return 0;
}

int Acceptor::PauseForDescriptors() {
  counters_.Add(Counter::kAcceptPauses);
  Say("accepting pauses", "no descriptors or memory");
  return kPauseMilliseconds;
}

uint64_t Acceptor::sockets() const {
  uint64_t sockets = 0;
  for (const std::unique_ptr<ShardLoop>& shard : shards_) sockets += shard->sockets();
  return sockets;
}

void Acceptor::Place(UniqueFd fd, const sockaddr_storage& address) {
  const uint64_t before = sockets();
  const bool surplus = before >= connections_max_;
  if (surplus && (tls_ || before >= connections_max_ + kToldMax)) {
    return Refuse(Counter::kAcceptsRefusedNode, kNodeFull);
  }
  PeerAddress peer = PeerOf(address);
  const AddressKey key = peer.key;
  connects_.SetRate(pressure_.connects());
  if (!connects_.Take(key, clock_.Now().uptime)) {
    return Refuse(Counter::kAcceptsRefusedRate, "an address connects too often");
  }
  if (!addresses_.Enter(key)) {
    return Refuse(Counter::kAcceptsRefusedAddress, "an address has as many connections as it may");
  }
  HalfOpenPlace half_open = pressure_.TakeHalfOpen(key);
  if (half_open == nullptr) {
    addresses_.Leave(key);
    return Refuse(Counter::kAcceptsRefusedAddress,
                  "an address has as many requests under way as it may");
  }
  const int on = 1;
  (void)setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  (void)setsockopt(fd.get(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMilliseconds,
                   sizeof(kUserTimeoutMilliseconds));
  (void)setsockopt(fd.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsentBytes, sizeof(kUnsentBytes));
  NewSocket socket = {.fd = std::move(fd),
                      .peer = std::move(peer),
                      .half_open = std::move(half_open),
                      .surplus = surplus};
  const auto emptiest = std::ranges::min_element(
      shards_, {}, [](const std::unique_ptr<ShardLoop>& shard) { return shard->sockets(); });
  if (!(*emptiest)->Offer(socket)) {
    addresses_.Leave(key);
    return Refuse(Counter::kAcceptsRefusedBusy, "a shard's mailbox is full");
  }
  if (surplus) Refuse(Counter::kAcceptsRefusedNode, kNodeFull);
}

void Acceptor::Refuse(Counter cause, std::string_view why) {
  counters_.Add(Counter::kAcceptsRefused);
  counters_.Add(cause);
  Say("connection refused", why);
}

void Acceptor::Say(std::string_view event, std::string_view why) {
  int64_t suppressed = 0;
  if (!refusals_.Allow(absl::ToInt64Seconds(clock_.Now().uptime), &suppressed)) return;
  Log(LogLevel::kWarning, event, {{"why", why}, {"suppressed", suppressed}});
}

}  // namespace wsrouter
