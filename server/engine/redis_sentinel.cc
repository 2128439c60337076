#include "engine/redis_sentinel.h"

#include <charconv>
#include <utility>

#include "base/strings.h"
#include "engine/redis_reply.h"
#include "fmt/format.h"

namespace wsrouter {

absl::Status MasterQuestion::Ask(struct ev_loop* loop, size_t number, absl::Duration silence) {
  const RedisEndpoint& sentinel = address_.sentinels[number % address_.sentinels.size()];
  const absl::Status opened =
      connection_.Open(loop, {.host = sentinel.host, .port = sentinel.port}, silence);
  if (opened.ok()) connection_.Send({"SENTINEL", "get-master-addr-by-name", address_.master});
  return opened;
}

void MasterQuestion::OnReply(RedisConnection&, const redisReply& reply) {
  const auto answer = RedisAnswer(reply);
  if (!answer.ok()) {
    return Tell(absl::UnavailableError(
        fmt::format("the sentinel says: {}", StdView(answer.status().message()))));
  }
  const RedisValue::Array& words = answer->array();
  if (words.size() != 2) {
    return Tell(
        absl::UnavailableError(fmt::format("the sentinel knows no master {}", address_.master)));
  }
  RedisAddress master = address_;
  master.unix_path.clear();
  master.host = words[0].text();
  const std::string& port = words[1].text();
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), master.port);
  if (error != std::errc() || end != port.data() + port.size()) {
    return Tell(absl::UnavailableError("the sentinel names a port that is none"));
  }
  Tell(std::move(master));
}

void MasterQuestion::OnLost(const absl::Status& why) {
  Tell(absl::UnavailableError(fmt::format("no sentinel: {}", StdView(why.message()))));
}

void MasterQuestion::Tell(absl::StatusOr<RedisAddress> found) {
  if (!std::exchange(told_, true)) found_(std::move(found));
}

}  // namespace wsrouter
