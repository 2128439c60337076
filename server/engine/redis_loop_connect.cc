// The part of RedisLink::Loop that brings the link up and takes it down.

#include <algorithm>
#include <utility>

#include "base/strings.h"
#include "engine/redis_loop.h"
#include "fmt/format.h"

namespace wsrouter {

void RedisLink::Loop::Connect() {
  state_ = State::kConnecting;
  canary_published_ = canary_returned_ = false;
  canaries_missing_ = silent_ticks_ = 0;
  refusal_.reset();
  StartTimer(connect_, patience_.connect, absl::ZeroDuration());
  sharded_ = !address_.cluster.empty();
  if (address_.direct()) return OpenBoth(address_);
  question_ = std::make_unique<MasterQuestion>(address_,
                                               [this](const absl::StatusOr<RedisAddress>& master) {
                                                 if (master.ok()) return OpenBoth(*master);
                                                 Fail(master.status());
                                               });
  const absl::Status asked =
      question_->Ask(loop_, static_cast<size_t>(attempts_), patience_.silence);
  if (!asked.ok()) Fail(asked);
}

void RedisLink::Loop::OpenBoth(const RedisAddress& address) {
  if (state_ != State::kConnecting || failure_.has_value()) return;
  command_connection_ = std::make_unique<RedisConnection>(*this);
  subscriber_connection_ = std::make_unique<RedisConnection>(*this);
  for (RedisConnection* connection : {command_connection_.get(), subscriber_connection_.get()}) {
    if (absl::Status opened = connection->Open(loop_, address, patience_.silence); !opened.ok()) {
      return Fail(opened);
    }
  }
  SetUpConnection(*command_connection_, commands_);
  if (!address_.sentinels.empty()) {
    // A sentinel that has slept through a failover names the old master. (In a Redis Cluster that
    // one says MOVED.)
    commands_.Send(
        *command_connection_,
        {.words = {"ROLE"}, .done = [this](const absl::StatusOr<RedisValue>& role) {
           if (!role.ok()) return Fail(role.status());
           if (role->array().empty() || role->array()[0].text() != "master") {
             Fail(absl::UnavailableError("this Redis is said to be the master and is not"));
           }
         }});
  }
  if (address_.database != 0) {
    Step(*command_connection_, commands_, {"SELECT", std::to_string(address_.database)});
  }
  for (const RedisScript* script : scripts_) {
    Step(*command_connection_, commands_, {"SCRIPT", "LOAD", std::string(script->text)});
  }

  SetName(*command_connection_, commands_);
  SetUpConnection(*subscriber_connection_, subscriber_commands_);
  SetName(*subscriber_connection_, subscriber_commands_);
}

void RedisLink::Loop::SetUpConnection(RedisConnection& connection, RedisCommands& commands) {
  if (address_.password.empty()) return;
  if (address_.username.empty()) return Step(connection, commands, {"AUTH", address_.password});
  Step(connection, commands, {"AUTH", address_.username, address_.password});
}

void RedisLink::Loop::SetName(RedisConnection& connection, RedisCommands& commands) {
  // The name is for people who look at Redis' list of clients; it is not everybody's to set.
  const bool subscriber = &connection == subscriber_connection_.get();
  const auto named = [this, subscriber](const absl::StatusOr<RedisValue>& answer) {
    if (state_ != State::kConnecting || failure_.has_value()) return;
    if (!answer.ok()) refusal_ = answer.status();
    if (subscriber) SubscribeToCanary();
  };
  commands.Send(connection, {.words = {"CLIENT", "SETNAME", "wsrouter"}, .done = named});
}

void RedisLink::Loop::SubscribeToCanary() {
  subscriber_connection_->Send({sharded_ ? "SSUBSCRIBE" : "SUBSCRIBE", canary_channel_});
}

void RedisLink::Loop::OnLost(const absl::Status& why) {
  // Redis explains why it takes no connection as if it answered the first command.
  const bool refused = state_ == State::kConnecting && refusal_.has_value();
  Fail(refused ? *refusal_ : why);
}

void RedisLink::Loop::Step(RedisConnection& connection, RedisCommands& commands,
                           std::vector<std::string> words) {
  const auto done = [this](const absl::StatusOr<RedisValue>& answer) {
    if (!answer.ok()) Fail(answer.status());
  };
  commands.Send(connection, {.words = std::move(words), .done = done});
}

void RedisLink::Loop::BeUpIfProved() {
  if (state_ != State::kConnecting || failure_.has_value()) return;
  if (!canary_published_ || !canary_returned_) return;
  state_ = State::kUp;
  up_since_ = clock_.Now().uptime;
  told_.reset();
  ev_timer_stop(loop_, &connect_);
  StartTimer(canary_, canary_period_, canary_period_);
  queue_.SetUp();
  handler_->OnUp();
}

void RedisLink::Loop::OnConnectTimeout() {
  Fail(absl::UnavailableError(
      fmt::format("not connected within {}", absl::FormatDuration(patience_.connect))));
}

void RedisLink::Loop::Fail(const absl::Status& why) {
  if (state_ != State::kDown && !failure_.has_value()) failure_ = why;
}

void RedisLink::Loop::Close() {
  if (!failure_.has_value()) return;  // there is nothing to close
  const absl::Status why = *std::exchange(failure_, std::nullopt);
  const bool was_up = std::exchange(state_, State::kDown) == State::kUp;
  for (ev_timer* timer : {&connect_, &canary_, &deadlines_}) ev_timer_stop(loop_, timer);
  const std::string unreachable = fmt::format("Redis is not reachable: {}", StdView(why.message()));
  queue_.SetDown(unreachable);
  question_.reset();
  command_connection_.reset();
  subscriber_connection_.reset();
  commands_.AnswerAll(unreachable);
  subscriber_commands_.AnswerAll(unreachable);
  subscriptions_.Clear(unreachable);
  Drain();
  // Whoever is thrown out at once, again and again, must not come back ever faster.
  if (was_up && clock_.Now().uptime - up_since_ > patience_.backoff_max) attempts_ = 0;
  StartTimer(retry_, NextBackoff(), absl::ZeroDuration());
  if (!was_up && (told_ == why || queue_.stopped())) return;
  told_ = why;
  handler_->OnDown(why);
}

absl::Duration RedisLink::Loop::NextBackoff() {
  const double factor = std::uniform_real_distribution<double>(0.5, 1.0)(random_);
  const int doublings = std::min(attempts_++, 20);
  return factor * std::min(patience_.backoff_max, patience_.backoff_min * (1 << doublings));
}

}  // namespace wsrouter
