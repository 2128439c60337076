#include "engine/redis_commands.h"

#include <utility>

#include "base/strings.h"
#include "engine/redis_reply.h"

namespace wsrouter {
namespace {

// `done` may be empty: the command is overdue and was answered before.
void Answer(RedisLink::Done done, absl::StatusOr<RedisValue> answer) {
  if (done) std::move(done)(std::move(answer));
}

}  // namespace

void RedisCommands::Send(RedisConnection& connection, RedisCommand command) {
  connection.Send(command.words);
  if (command.script == nullptr) command.words = {};
  sent_.push_back(std::move(command));
}

absl::Status RedisCommands::OnReply(RedisConnection& connection, const redisReply& reply) {
  if (sent_.empty()) return absl::UnavailableError("Redis answers what nobody asked");
  RedisCommand command = std::move(sent_.front());
  sent_.pop_front();
  const std::string_view code = RedisErrorCode(RedisErrorText(reply));
  if (code == "NOSCRIPT" && command.script != nullptr && command.done) {
    Send(connection, {.words = {"SCRIPT", "LOAD", std::string(command.script->text)}});
    connection.Send(command.words);
    command.script = nullptr;
    sent_.push_back(std::move(command));
    return absl::OkStatus();
  }
  if (command.counted) counted_.fetch_sub(1, std::memory_order_relaxed);
  absl::StatusOr<RedisValue> answer = RedisAnswer(reply);
  const absl::Status status = answer.status();
  Answer(std::move(command.done), std::move(answer));
  // This Redis is not, or no longer, the master of what we have there.
  return code == "READONLY" || code == "MOVED" ? status : absl::OkStatus();
}

void RedisCommands::Expire(absl::Duration uptime) {
  for (RedisCommand& command : sent_) {
    if (command.deadline > uptime || !command.done) continue;
    command.words = {};
    Answer(std::exchange(command.done, nullptr),
           absl::UnavailableError("Redis did not answer in time"));
  }
}

void RedisCommands::AnswerAll(std::string_view why) {
  for (RedisCommand& command : std::exchange(sent_, {})) Refuse(std::move(command), why);
}

void RedisCommands::Refuse(RedisCommand command, std::string_view why) {
  if (command.counted) counted_.fetch_sub(1, std::memory_order_relaxed);
  Answer(std::move(command.done), absl::UnavailableError(AbslView(why)));
}

}  // namespace wsrouter
