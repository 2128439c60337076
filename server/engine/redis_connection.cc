#include "engine/redis_connection.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "base/strings.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr size_t kReadMax = 64 << 10;  // a turn

// Best effort: without these a dead peer is noticed too, by the link's own clock.
void GuardSocket(int fd, absl::Duration silence) {
  const auto set = [fd](int level, int option, int value) {
    (void)setsockopt(fd, level, option, &value, sizeof(value));
  };
  const int seconds = static_cast<int>(std::max<int64_t>(1, absl::ToInt64Seconds(silence)));
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, seconds);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 1);
  set(IPPROTO_TCP, TCP_KEEPCNT, 3);
  set(IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(absl::ToInt64Milliseconds(silence)));
}

absl::StatusOr<UniqueFd> Connect(const RedisAddress& address) {
  redisContext* context = address.host.empty()
                              ? redisConnectUnixNonBlock(address.unix_path.c_str())
                              : redisConnectNonBlock(address.host.c_str(), address.port);
  if (context == nullptr) return absl::UnavailableError("hiredis has no memory");
  if (context->err != 0) {
    const absl::Status why = absl::UnavailableError(context->errstr);
    redisFree(context);
    return why;
  }
  UniqueFd socket(redisFreeKeepFd(context));
  (void)fcntl(socket.get(), F_SETFD, FD_CLOEXEC);  // a child that held it would keep it open
  return socket;
}

}  // namespace

void RedisConnection::FreeReader::operator()(redisReader* reader) const { redisReaderFree(reader); }

RedisConnection::RedisConnection(Owner& owner) : owner_(owner) {}

RedisConnection::~RedisConnection() { Close(); }

absl::Status RedisConnection::Open(struct ev_loop* loop, const RedisAddress& address,
                                   absl::Duration silence) {
  absl::StatusOr<UniqueFd> socket = Connect(address);
  if (!socket.ok()) return socket.status();
  loop_ = loop;
  socket_ = *std::move(socket);
  reader_.reset(redisReaderCreate());
  if (!address.host.empty()) GuardSocket(socket_.get(), silence);
  // How connecting ended is said by the first read or write.
  ev_io_init(
      &ready_,
      [](struct ev_loop*, ev_io* w, int events) {
        static_cast<RedisConnection*>(w->data)->OnReady(events);
      },
      socket_.get(), EV_READ);
  ready_.data = this;
  ev_io_start(loop_, &ready_);
  if (!address.tls.on) return absl::OkStatus();
  absl::StatusOr<RedisTls> tls = RedisTls::Make(address.tls, address.host, socket_.get());
  if (tls.ok()) tls_ = *std::move(tls);
  return tls.status();
}

void RedisConnection::Send(const std::vector<std::string>& words) {
  if (!socket_.valid()) return;
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  texts.reserve(words.size());
  sizes.reserve(words.size());
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  char* command = nullptr;
  const int size =
      redisFormatCommandArgv(&command, static_cast<int>(words.size()), texts.data(), sizes.data());
  if (size > 0) out_.append(command, static_cast<size_t>(size));
  redisFreeCommand(command);
}

ssize_t RedisConnection::Read(std::span<char> octets) {
  if (tls_.has_value()) return tls_->Read(octets);
  return recv(socket_.get(), octets.data(), octets.size(), 0);
}

ssize_t RedisConnection::Write(std::string_view octets) {
  if (tls_.has_value()) return tls_->Write(octets);
  return send(socket_.get(), octets.data(), octets.size(), MSG_NOSIGNAL);
}

absl::Status RedisConnection::Error() const {
  const int error = errno;
  if (tls_.has_value()) return tls_->error();
  return absl::UnavailableError(std::generic_category().message(error));
}

void RedisConnection::WantWrite(bool wanted) {
  if (std::exchange(wants_write_, wanted) == wanted) return;
  ev_io_stop(loop_, &ready_);
  ev_io_set(&ready_, socket_.get(), wanted ? EV_READ | EV_WRITE : EV_READ);
  ev_io_start(loop_, &ready_);
}

void RedisConnection::Flush() {
  while (socket_.valid() && written_ < out_.size()) {
    const ssize_t sent = Write(std::string_view(out_).substr(written_));
    if (sent > 0) {
      written_ += static_cast<size_t>(sent);
    } else if (errno == EAGAIN) {
      if (written_ > out_.size() / 2) out_.erase(0, std::exchange(written_, 0));
      return WantWrite(!tls_.has_value() || tls_->wants_write());
    } else if (errno != EINTR) {
      return Lost(Error());
    }
  }
  if (!socket_.valid()) return;
  WantWrite(false);
  out_.clear();
  if (out_.capacity() > kReadMax) out_.shrink_to_fit();
  written_ = 0;
}

void RedisConnection::OnReady(int events) {
  // TLS may have to read in order to write, and the other way round.
  if (tls_.has_value() || (events & EV_READ) != 0) ReadAll();
  if (tls_.has_value() || (events & EV_WRITE) != 0) Flush();
}

void RedisConnection::ReadAll() {
  static thread_local std::array<char, kReadMax> octets;
  // What TLS has taken from the socket and not handed over wakes nobody.
  do {
    const ssize_t size = Read(octets);
    if (size == 0) return Lost(absl::UnavailableError("the connection has ended"));
    if (size < 0) {
      if (errno != EAGAIN && errno != EINTR) return Lost(Error());
      if (tls_.has_value() && tls_->wants_write()) WantWrite(true);
      return;
    }
    if (reader_->len - reader_->pos > kReplyMax) {
      return Lost(absl::UnavailableError(fmt::format("a reply of more than {} octets", kReplyMax)));
    }
    (void)redisReaderFeed(reader_.get(), octets.data(), static_cast<size_t>(size));
    Tell();
  } while (socket_.valid() && tls_.has_value() && tls_->pending());
}

void RedisConnection::Tell() {
  while (socket_.valid()) {
    void* reply = nullptr;
    if (redisReaderGetReply(reader_.get(), &reply) != REDIS_OK) {
      return Lost(absl::UnavailableError(AbslView(reader_->errstr)));
    }
    if (reply == nullptr) return;
    owner_.OnReply(*this, *static_cast<const redisReply*>(reply));
    freeReplyObject(reply);
  }
}

void RedisConnection::Lost(const absl::Status& why) {
  Close();
  owner_.OnLost(why);
}

void RedisConnection::Close() {
  if (!socket_.valid()) return;
  ev_io_stop(loop_, &ready_);
  tls_.reset();
  socket_.Reset();
}

}  // namespace wsrouter
