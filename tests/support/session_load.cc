#include "tests/support/session_load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "absl/strings/numbers.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "tests/support/wire.h"

namespace wsrouter {
namespace {

constexpr uint64_t kAbandonedTag = uint64_t{1} << 63;  // the rest is the descriptor
constexpr size_t kReadBytes = 64 * 1024;
constexpr absl::Duration kRefusedBackMax = absl::Milliseconds(200);
constexpr uint32_t kFirstSource = 0x7F010001;

uint64_t TagOf(uint32_t index, uint32_t turn) { return uint64_t{turn & 0x7FFFFFFF} << 32 | index; }

void Reset(UniqueFd& fd) {
  const linger reset = {.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  fd.Reset();
}

// What waits to be read; false at the end of the connection.
bool Drain(int fd, std::string& into) {
  std::array<char, kReadBytes> octets;
  while (true) {
    const ssize_t got = recv(fd, octets.data(), octets.size(), 0);
    if (got > 0) into.append(octets.data(), static_cast<size_t>(got));
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
  }
}

}  // namespace

SessionLoad::SessionLoad(Options options, Handlers handlers)
    : options_(std::move(options)),
      handlers_(std::move(handlers)),
      random_(options_.seed),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      clients_(options_.clients),
      acted_at_(now()) {
  for (uint32_t i = 0; i < options_.clients; ++i) due_.emplace(now(), i);
}

SessionLoad::~SessionLoad() = default;

void SessionLoad::SetActs(double a_second) {
  acts_ = a_second;
  acts_owed_ = 0;
  acted_at_ = now();
}

size_t SessionLoad::open() const {
  const auto is_open = [](const Client& client) { return client.fd.valid(); };
  const auto held = [](const UniqueFd& fd) { return fd.valid(); };
  return static_cast<size_t>(std::ranges::count_if(clients_, is_open) +
                             std::ranges::count_if(abandoned_, held));
}

void SessionLoad::RunOnce(absl::Duration wait_max) {
  std::array<epoll_event, 256> ready;
  const int count = epoll_wait(epoll_.get(), ready.data(), static_cast<int>(ready.size()),
                               static_cast<int>(absl::ToInt64Milliseconds(wait_max)));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = ready[static_cast<size_t>(i)];
    OnEvent(event.data.u64, event.events);
  }
  if (!closing_) {
    ComeBack();
    acts_owed_ += acts_ * absl::ToDoubleSeconds(now() - acted_at_);
    acted_at_ = now();
    for (; acts_owed_ >= 1; acts_owed_ -= 1) Act();
  }
}

void SessionLoad::ComeBack() {
  while (!nodes_.empty() && !due_.empty() && due_.top().first <= now() &&
         connecting_ < options_.connecting_max) {
    const uint32_t index = due_.top().second;
    due_.pop();
    if (clients_[index].state == State::kAway) Connect(index);
  }
}

void SessionLoad::Connect(uint32_t index) {
  Client& client = clients_[index];
  const std::string& address = nodes_[random_() % nodes_.size()];
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  uint32_t port = 0;
  (void)absl::SimpleAtoi(address.substr(address.rfind(':') + 1), &port);
  to.sin_port = htons(static_cast<uint16_t>(port));
  client.fd = UniqueFd(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  client.state = State::kConnecting;
  client.began_at = now();
  ++client.turn;
  ++connecting_;
  client.in.clear();
  BindSource(index);
  if (connect(client.fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0 &&
      errno != EINPROGRESS) {
    return Lose(index, Loss::kPeer);
  }
  Watch(index, EPOLLIN | EPOLLOUT, EPOLL_CTL_ADD);
}

void SessionLoad::BindSource(uint32_t index) {
  if (options_.sources == 0) return;
  const int on = 1;  // the port is chosen at the connect, so that others may have it, too
  const int fd = clients_[index].fd.get();
  (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(kFirstSource + index % options_.sources);
  (void)bind(fd, reinterpret_cast<const sockaddr*>(&from), sizeof(from));
}

void SessionLoad::Watch(uint32_t index, uint32_t events, int operation) {
  epoll_event event = {.events = events, .data = {.u64 = TagOf(index, clients_[index].turn)}};
  (void)epoll_ctl(epoll_.get(), operation, clients_[index].fd.get(), &event);
}

void SessionLoad::OnEvent(uint64_t tag, uint32_t events) {
  if ((tag & kAbandonedTag) != 0) {
    UniqueFd& fd = abandoned_[tag & ~kAbandonedTag];
    std::string ignored;
    if (fd.valid() && !Drain(fd.get(), ignored)) Reset(fd);
    return;
  }
  const auto index = static_cast<uint32_t>(tag);
  Client& client = clients_[index];
  if (!client.fd.valid() || TagOf(index, client.turn) != tag) return;
  if (client.state == State::kConnecting && (events & EPOLLOUT) != 0) SendUpgrade(index);
  if (client.fd.valid() && (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0) {
    OnReadable(index, Drain(client.fd.get(), client.in));
  }
}

void SessionLoad::SendUpgrade(uint32_t index) {
  Client& client = clients_[index];
  const bool resumes = !client.token.empty() && Draw() < options_.resume_share;
  const std::string offer = resumes ? ", wsrouter.session." + client.token : "";
  if (!resumes) client.token.clear();
  client.state = State::kUpgrading;
  Watch(index, EPOLLIN, EPOLL_CTL_MOD);
  Send(index, UpgradeRequest(options_.target(index),
                             fmt::format("Sec-WebSocket-Protocol: wsrouter.v1.json{}\r\n", offer)));
}

void SessionLoad::Send(uint32_t index, std::string_view octets) {
  const ssize_t sent = send(clients_[index].fd.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(octets.size())) Lose(index, Loss::kPeer);
}

void SessionLoad::Say(uint32_t index, std::string_view frame) {
  Client& client = clients_[index];
  if (client.state == State::kOpen && !client.connection.empty()) Send(index, ClientText(frame));
}

void SessionLoad::Lose(uint32_t index, Loss loss, const Refusal& refusal) {
  Client& client = clients_[index];
  const bool was_up = !client.connection.empty();
  if (was_up) {
    --up_;
    client.lost_at = now();
    if (client.state == State::kClosing) loss = Loss::kClosed;
    handlers_.on_down(index, std::exchange(client.connection, {}), loss);
  } else {
    --connecting_;
    if (handlers_.on_refused != nullptr) handlers_.on_refused(index, refusal.status);
  }
  if (loss == Loss::kClosed) client.token.clear();
  if (loss == Loss::kCut) Reset(client.fd);
  client.fd.Reset();
  client.state = closing_ ? State::kGone : State::kAway;
  const absl::Duration spread =
      was_up ? options_.back_after_max : std::max(options_.back_after_max, kRefusedBackMax);
  due_.emplace(now() + refusal.retry_after + Draw() * spread, index);
}

void SessionLoad::Abandon(uint32_t index) {
  Client& client = clients_[index];
  const auto fd = static_cast<size_t>(client.fd.get());
  if (abandoned_.size() <= fd) abandoned_.resize(fd + 1);
  epoll_event event = {.events = EPOLLIN, .data = {.u64 = kAbandonedTag | fd}};
  (void)epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client.fd.get(), &event);
  abandoned_[fd] = std::move(client.fd);
  Lose(index, Loss::kAbandoned);
}

void SessionLoad::Act() {
  const uint32_t index = AnyClient();
  Client& client = clients_[index];
  if (client.state != State::kOpen || client.connection.empty()) return;
  const double which = Draw();
  if (which < 0.25) return Lose(index, Loss::kCut);
  if (which < 0.35) return Abandon(index);
  if (which < 0.45) {
    client.state = State::kClosing;
    return Send(index, ClientClose(1000));
  }
  if (options_.rooms.empty()) return;
  Say(index, fmt::format(R"({{"{}":{{"id":"1","room":"{}"}}}})", which < 0.75 ? "join" : "leave",
                         options_.rooms[random_() % options_.rooms.size()]));
}

void SessionLoad::Cut(double share) {
  for (uint32_t i = 0; i < clients_.size(); ++i) {
    const Client& client = clients_[i];
    if (client.state == State::kOpen && !client.connection.empty() && Draw() < share) {
      Lose(i, Loss::kCut);
    }
  }
}

void SessionLoad::CloseAll() {
  closing_ = true;
  for (uint32_t i = 0; i < clients_.size(); ++i) {
    Client& client = clients_[i];
    if (client.state == State::kOpen && !client.connection.empty()) {
      client.state = State::kClosing;
      Send(i, ClientClose(1000));
    } else if (client.fd.valid() && client.state != State::kClosing) {
      Lose(i, Loss::kCut);
    }
  }
  for (UniqueFd& fd : abandoned_) {
    if (fd.valid()) Reset(fd);
  }
}

}  // namespace wsrouter
