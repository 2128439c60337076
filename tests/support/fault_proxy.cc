#include "tests/support/fault_proxy.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"

namespace wsrouter {
namespace {

constexpr size_t kReadBytes = 64 * 1024;
constexpr size_t kWaitingMax = 64;  // chunks of one direction; then its source is not read

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

FaultProxy::FaultProxy(std::string target)
    : target_(std::move(target)),
      listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* general = reinterpret_cast<sockaddr*>(&address);
  const bool listens = bind(listener_.get(), general, size) == 0 &&
                       listen(listener_.get(), 64) == 0 &&
                       getsockname(listener_.get(), general, &size) == 0;
  EXPECT_TRUE(listens) << std::strerror(errno);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Main(); });
}

FaultProxy::~FaultProxy() {
  Change([](Faults& faults) { faults.stop = true; });
  thread_.join();
}

std::string FaultProxy::url() const { return fmt::format("redis://127.0.0.1:{}", port_); }

void FaultProxy::Change(absl::FunctionRef<void(Faults&)> change) {
  {
    absl::MutexLock lock(&mutex_);
    change(faults_);
  }
  (void)eventfd_write(wake_.get(), 1);
}

void FaultProxy::Hole(Direction direction) {
  Change([&](Faults& faults) { faults.hole[static_cast<size_t>(direction)] = true; });
}
void FaultProxy::Heal() {
  Change([](Faults& faults) { faults = {.reset = faults.reset, .stop = faults.stop}; });
}
void FaultProxy::CutAfter(Direction direction, size_t octets) {
  Change([&](Faults& faults) { faults.cut[static_cast<size_t>(direction)] = octets; });
}
bool FaultProxy::Cuts(Direction direction) {
  absl::MutexLock lock(&mutex_);
  return faults_.cut[static_cast<size_t>(direction)].has_value();
}
void FaultProxy::Reset() {
  Change([](Faults& faults) { faults.reset = true; });
}
void FaultProxy::Delay(absl::Duration delay) {
  Change([&](Faults& faults) { faults.delay = delay; });
}

void FaultProxy::Main() {
  int timeout = -1;
  while (true) {
    std::vector<pollfd> polled = {{listener_.get(), POLLIN, 0}, {wake_.get(), POLLIN, 0}};
    for (const Link& link : links_) {
      for (size_t to = 0; to < 2; ++to) {
        // What is read from this socket goes to the other one.
        const Pipe& pipe = link.pipes[1 - to];
        const bool reads = !pipe.ended && pipe.waiting.size() < kWaitingMax;
        polled.push_back({reads ? link.fds[to].get() : -1, POLLIN, 0});
      }
    }
    (void)poll(polled.data(), polled.size(), timeout);
    eventfd_t ignored;
    (void)eventfd_read(wake_.get(), &ignored);
    {
      absl::MutexLock lock(&mutex_);
      if (faults_.stop) return;
      if (std::exchange(faults_.reset, false)) {
        const linger hard = {.l_onoff = 1, .l_linger = 0};
        for (Link& link : links_) {
          for (UniqueFd& fd : link.fds) {
            (void)setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
          }
        }
        links_.clear();
      }
    }
    timeout = Turn();
    Accept();
  }
}

int FaultProxy::Turn() {
  int next = -1;
  for (Link& link : links_) {
    for (size_t direction = 0; direction < 2; ++direction) {
      Read(link, direction);
      const int due = Write(link, direction);
      if (due >= 0) next = next < 0 ? due : std::min(next, due);
    }
  }
  links_.remove_if([](const Link& link) { return link.dead; });
  return next;
}

void FaultProxy::Accept() {
  UniqueFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!client.valid()) return;
  UniqueFd server = Connect();
  if (!server.valid()) return;
  // Else the kernel holds a reply back while the one before it is not acknowledged.
  const int at_once = 1;
  (void)setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
  Link& link = links_.emplace_back();
  link.fds = {std::move(server), std::move(client)};
}

UniqueFd FaultProxy::Connect() const {
  const bool local = target_.starts_with('/');
  UniqueFd fd(socket(local ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  int connected = -1;
  if (local) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (void)target_.copy(address.sun_path, sizeof(address.sun_path) - 1);
    connected = connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
  } else {
    sockaddr_in address = Loopback(static_cast<uint16_t>(std::stoi(target_)));
    connected = connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address));
  }
  if (connected != 0) return {};
  return fd;
}

void FaultProxy::Read(Link& link, size_t direction) {
  Pipe& pipe = link.pipes[direction];
  if (link.dead || pipe.ended || pipe.waiting.size() >= kWaitingMax) return;
  std::string octets(kReadBytes, '\0');
  const ssize_t got =
      recv(link.fds[1 - direction].get(), octets.data(), octets.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    pipe.ended = true;
    return;
  }
  octets.resize(static_cast<size_t>(got));
  absl::MutexLock lock(&mutex_);
  if (faults_.hole[direction]) return;
  if (std::optional<size_t>& cut = faults_.cut[direction]; cut.has_value()) {
    if (octets.size() > *cut) {
      octets.resize(*cut);
      pipe.ended = true;
      cut.reset();
    } else {
      *cut -= octets.size();
    }
  }
  pipe.waiting.push_back({.due = clock_.Now().uptime + faults_.delay, .octets = std::move(octets)});
}

int FaultProxy::Write(Link& link, size_t direction) {
  Pipe& pipe = link.pipes[direction];
  while (!link.dead && !pipe.waiting.empty()) {
    Chunk& chunk = pipe.waiting.front();
    const absl::Duration wait = chunk.due - clock_.Now().uptime;
    if (wait > absl::ZeroDuration()) return static_cast<int>(absl::ToInt64Milliseconds(wait)) + 1;
    const ssize_t sent = send(link.fds[direction].get(), chunk.octets.data(), chunk.octets.size(),
                              MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return 1;
    if (sent < 0) link.dead = true;
    chunk.octets.erase(0, static_cast<size_t>(std::max<ssize_t>(sent, 0)));
    if (chunk.octets.empty()) pipe.waiting.pop_front();
  }
  if (pipe.ended && pipe.waiting.empty()) link.dead = true;
  return -1;
}

}  // namespace wsrouter
