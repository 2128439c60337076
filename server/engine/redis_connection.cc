#include "engine/redis_connection.h"

#include <fcntl.h>
#include <hiredis/adapters/libev.h>
#include <hiredis/async.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "engine/redis_reply.h"

namespace wsrouter {
namespace {

// What hiredis says of its last error, which may be the text of an error answer.
absl::Status ErrorOf(const redisContext& context) {
  const std::string_view text = context.errstr;
  if (text.empty()) return absl::UnavailableError("the connection has ended");
  if (context.err != REDIS_ERR_OTHER) return absl::UnavailableError(AbslView(text));
  const absl::Status status = RedisErrorStatus(text);
  return absl::IsInternal(status) ? absl::UnavailableError(status.message()) : status;
}

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

struct Words {
  explicit Words(const std::vector<std::string>& words) {
    texts.reserve(words.size());
    sizes.reserve(words.size());
    for (const std::string& word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
  }
  int count() const { return static_cast<int>(texts.size()); }

  std::vector<const char*> texts;
  std::vector<size_t> sizes;
};

}  // namespace

RedisConnection& RedisConnection::Of(const redisAsyncContext* context) {
  return *static_cast<RedisConnection*>(context->data);
}

RedisConnection::~RedisConnection() {
  // hiredis calls back for every answer that did not come; those calls have no reply and end at
  // once.
  if (context_ != nullptr) redisAsyncFree(std::exchange(context_, nullptr));
}

void RedisConnection::Lost() {
  if (context_ == nullptr) return;
  owner_.OnLost(
      ErrorOf(std::exchange(context_, nullptr)->c));  // hiredis frees it behind the callback
}

absl::Status RedisConnection::Open(struct ev_loop* loop, const RedisAddress& address,
                                   absl::Duration silence) {
  context_ = address.host.empty() ? redisAsyncConnectUnix(address.unix_path.c_str())
                                  : redisAsyncConnect(address.host.c_str(), address.port);
  if (context_ == nullptr) return absl::UnavailableError("hiredis has no memory");
  context_->data = this;
  if (context_->err != 0) return ErrorOf(context_->c);
  (void)fcntl(context_->c.fd, F_SETFD, FD_CLOEXEC);  // a child that held it would keep it open
  if (!address.host.empty()) GuardSocket(context_->c.fd, silence);
  redisLibevAttach(loop, context_);
  redisAsyncSetConnectCallback(context_, [](const redisAsyncContext* context, int status) {
    if (status != REDIS_OK) Of(context).Lost();
  });
  redisAsyncSetDisconnectCallback(
      context_, [](const redisAsyncContext* context, int) { Of(context).Lost(); });
  return absl::OkStatus();
}

void RedisConnection::Send(const std::vector<std::string>& words) {
  if (context_ == nullptr) return;
  const auto on_reply = [](redisAsyncContext* context, void* reply, void*) {
    if (reply == nullptr) return;
    RedisConnection& self = Of(context);
    self.owner_.OnReply(self, *static_cast<const redisReply*>(reply));
  };
  Words sent(words);
  (void)redisAsyncCommandArgv(context_, on_reply, nullptr, sent.count(), sent.texts.data(),
                              sent.sizes.data());  // fails only on its way to OnLost
}

void RedisConnection::SendSubscription(const std::vector<std::string>& words) {
  if (context_ == nullptr) return;
  const auto on_pushed = [](redisAsyncContext* context, void* reply, void*) {
    if (reply != nullptr) Of(context).owner_.OnPushed(*static_cast<const redisReply*>(reply));
  };
  Words sent(words);
  (void)redisAsyncCommandArgv(context_, on_pushed, nullptr, sent.count(), sent.texts.data(),
                              sent.sizes.data());
}

}  // namespace wsrouter
