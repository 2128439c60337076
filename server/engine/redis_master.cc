#include "engine/redis_master.h"

#include <utility>

#include "base/strings.h"
#include "engine/redis_reply.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

absl::StatusOr<RedisAddress> At(RedisAddress master, const std::string& host, int64_t port) {
  if (host.empty() || port < 1 || port > UINT16_MAX) {
    return absl::UnavailableError("the address of the master is none");
  }
  master.unix_path.clear();
  master.host = host;
  master.port = static_cast<uint16_t>(port);
  return master;
}

// https://redis.io/docs/reference/sentinel-clients/, step 2.
absl::StatusOr<RedisAddress> MasterOfSentinel(const RedisAddress& address,
                                              const RedisValue& answer) {
  const RedisValue::Array& words = answer.array();
  if (words.size() != 2) {
    return absl::UnavailableError(fmt::format("the sentinel knows no master {}", address.master));
  }
  const auto endpoint =
      ParseRedisEndpoint(fmt::format("[{}]:{}", words[0].text(), words[1].text()));
  if (!endpoint.ok()) return absl::UnavailableError("the sentinel names a port that is none");
  return At(address, endpoint->host, endpoint->port);
}

// CLUSTER SLOTS answers ranges: first slot, last slot, the master (host, port, ...), replicas. A
// host that is nil or empty is the one that was asked.
absl::StatusOr<RedisAddress> MasterOfSlot(const RedisAddress& address, const RedisEndpoint& asked,
                                          int64_t slot, const RedisValue& answer) {
  for (const RedisValue& range : answer.array()) {
    const RedisValue::Array& parts = range.array();
    if (parts.size() < 3 || slot < parts[0].integer() || slot > parts[1].integer()) continue;
    const RedisValue::Array& master = parts[2].array();
    if (master.size() < 2) continue;
    const std::string& host = master[0].text();
    return At(address, host.empty() ? asked.host : host, master[1].integer());
  }
  return absl::UnavailableError(
      fmt::format("the Redis Cluster has no master for slot {} of {}", slot, address.root));
}

}  // namespace

absl::Status MasterQuestion::Ask(struct ev_loop* loop, size_t number, absl::Duration silence) {
  const bool sentinel = !address_.sentinels.empty();
  const std::vector<RedisEndpoint>& servers = sentinel ? address_.sentinels : address_.cluster;
  asked_ = servers[number % servers.size()];
  RedisAddress server;
  server.host = asked_.host;
  server.port = asked_.port;
  server.tls = address_.tls;
  if (absl::Status opened = connection_.Open(loop, server, silence); !opened.ok()) return opened;
  if (sentinel) {
    LogIn(address_.sentinel_username, address_.sentinel_password);
    Send({"SENTINEL", "get-master-addr-by-name", address_.master});
  } else {
    LogIn(address_.username, address_.password);
    Send({"CLUSTER", "KEYSLOT", address_.root});
    Send({"CLUSTER", "SLOTS"});
  }
  connection_.Flush();
  return absl::OkStatus();
}

void MasterQuestion::Send(const std::vector<std::string>& words) {
  ++due_;
  connection_.Send(words);
}

void MasterQuestion::LogIn(const std::string& username, const std::string& password) {
  if (password.empty()) return;
  if (username.empty()) return Send({"AUTH", password});
  Send({"AUTH", username, password});
}

void MasterQuestion::OnReply(RedisConnection&, const redisReply& reply) {
  auto answer = RedisAnswer(reply);
  if (!answer.ok()) {
    return Tell(absl::UnavailableError(fmt::format("{}:{} says: {}", asked_.host, asked_.port,
                                                   StdView(answer.status().message()))));
  }
  answers_.push_back(*std::move(answer));
  if (answers_.size() == due_) Tell(Read());
}

absl::StatusOr<RedisAddress> MasterQuestion::Read() const {
  if (!address_.sentinels.empty()) return MasterOfSentinel(address_, answers_.back());
  return MasterOfSlot(address_, asked_, answers_[due_ - 2].integer(), answers_.back());
}

void MasterQuestion::OnLost(const absl::Status& why) {
  Tell(absl::UnavailableError(
      fmt::format("{}:{}: {}", asked_.host, asked_.port, StdView(why.message()))));
}

void MasterQuestion::Tell(absl::StatusOr<RedisAddress> found) {
  if (!std::exchange(told_, true)) found_(std::move(found));
}

}  // namespace wsrouter
