#include "engine/redis_loop.h"

#include <csignal>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/overloaded.h"
#include "base/strings.h"
#include "engine/redis_reply.h"
#include "fmt/format.h"

namespace wsrouter {

RedisLink::Loop::Loop(RedisAddress address, RedisPatience patience, std::atomic<bool>& up)
    : address_(std::move(address)),
      patience_(patience),
      canary_period_(std::min(absl::Seconds(1), patience.silence / 4)),
      canaries_max_(
          static_cast<int>(std::ceil(absl::FDivDuration(patience.silence, canary_period_)))),
      canary_channel_(fmt::format("{}canary:{:016x}{:016x}", address_.root, random_(), random_())),
      queue_(patience.command, up, counted_),
      loop_(ev_loop_new(static_cast<unsigned>(EVFLAG_NOENV) |
                        static_cast<unsigned>(EVBACKEND_EPOLL))),
      commands_(counted_),
      subscriber_commands_(counted_) {
  InitWatchers();
}

RedisLink::Loop::~Loop() {
  Stop();
  ev_loop_destroy(loop_);
}

void RedisLink::Loop::InitWatchers() {
  ev_async_init(&wake_,
                [](struct ev_loop*, ev_async* w, int) { static_cast<Loop*>(w->data)->Drain(); });
  ev_prepare_init(&turn_end_, [](struct ev_loop*, ev_prepare* w, int) {
    static_cast<Loop*>(w->data)->OnTurnEnd();
  });
  wake_.data = turn_end_.data = this;
  ev_async_start(loop_, &wake_);
  InitTimer<&Loop::Connect>(retry_);
  InitTimer<&Loop::OnConnectTimeout>(connect_);
  InitTimer<&Loop::OnCanaryTick>(canary_);
  InitTimer<&Loop::OnDeadlineTick>(deadlines_);
  // Behind a pause of the process, what has arrived counts before the time that has passed.
  for (ev_timer* timer : {&connect_, &canary_, &deadlines_}) ev_set_priority(timer, EV_MINPRI);
}

void RedisLink::Loop::StartTimer(ev_timer& timer, absl::Duration after, absl::Duration period) {
  ev_timer_stop(loop_, &timer);
  ev_now_update(loop_);
  ev_timer_set(&timer, absl::ToDoubleSeconds(after), absl::ToDoubleSeconds(period));
  ev_timer_start(loop_, &timer);
}

void RedisLink::Loop::Every(absl::Duration period, std::function<void()> task) {
  Periodic& periodic = periodics_.emplace_back();
  periodic.task = std::move(task);
  const double seconds = absl::ToDoubleSeconds(period);
  ev_timer_init(
      &periodic.timer,
      [](struct ev_loop*, ev_timer* w, int) { static_cast<Periodic*>(w->data)->task(); }, seconds,
      seconds);
  periodic.timer.data = &periodic;
}

void RedisLink::Loop::Start(Handler& handler) {
  handler_ = &handler;
  thread_ = std::thread([this] { Main(); });
}

void RedisLink::Loop::Stop() {
  if (!queue_.Stop() || !thread_.joinable()) return;
  ev_async_send(loop_, &wake_);
  thread_.join();
}

void RedisLink::Loop::Main() {
  // hiredis writes to sockets that the peer has closed.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);

  ev_prepare_start(loop_, &turn_end_);
  for (Periodic& periodic : periodics_) {
    ev_now_update(loop_);
    ev_timer_start(loop_, &periodic.timer);
  }
  if (!queue_.stopped()) Connect();
  ev_async_send(loop_, &wake_);  // for what was given before the thread began
  ev_run(loop_, 0);
  Fail(absl::UnavailableError("the link was stopped"));
  Close();
  Drain();
}

void RedisLink::Loop::Post(Task task) {
  if (queue_.Push(std::move(task))) ev_async_send(loop_, &wake_);
}

void RedisLink::Loop::Command(RedisCommand command) {
  if (queue_.Push(std::move(command), clock_.Now().uptime)) ev_async_send(loop_, &wake_);
}

void RedisLink::Loop::Subscribe(std::string channel, RedisSubscriptions::Done done) {
  if (state_ == State::kUp) return subscriptions_.Subscribe(std::move(channel), std::move(done));
  std::move(done)(absl::UnavailableError("Redis is not reachable: the link is down"));
}

void RedisLink::Loop::Drain() {
  const auto send = [this](RedisCommand& command) {
    if (command.publish && sharded_) {
      (command.script == nullptr ? command.words.front() : command.words.back()) = "SPUBLISH";
    }
    if (state_ == State::kUp) return commands_.Send(*command_connection_, std::move(command));
    commands_.Refuse(std::move(command), "Redis is not reachable any more");
  };
  for (RedisQueue::Item& item : queue_.Take()) {
    std::visit(Overloaded{[](Task& task) { std::move(task)(); }, send}, item);
  }
  if (queue_.stopped()) ev_break(loop_, EVBREAK_ALL);
}

void RedisLink::Loop::OnTurnEnd() {
  if (state_ == State::kUp) subscriptions_.Flush(*subscriber_connection_, sharded_);
  for (RedisConnection* connection : {command_connection_.get(), subscriber_connection_.get()}) {
    if (connection != nullptr) connection->Flush();
  }
  if (failure_.has_value()) Close();
  if (commands_.empty() || ev_is_active(&deadlines_)) return;
  const absl::Duration period = std::max(patience_.command / 16, absl::Milliseconds(1));
  StartTimer(deadlines_, period, period);
}

void RedisLink::Loop::OnReply(RedisConnection& connection, const redisReply& reply) {
  if (&connection == subscriber_connection_.get()) return OnSubscriberReply(reply);
  silent_ticks_ = 0;
  if (absl::Status usable = commands_.OnReply(connection, reply); !usable.ok()) Fail(usable);
}

void RedisLink::Loop::OnSubscriberReply(const redisReply& reply) {
  const std::vector<std::string_view> parts = RedisTexts(reply);
  if (!parts.empty()) return OnPushed(parts);
  const std::string_view error = RedisErrorText(reply);
  if (subscriber_commands_.empty() && !error.empty()) return OnSubscriptionRefused(error);
  absl::Status usable = subscriber_commands_.OnReply(*subscriber_connection_, reply);
  if (!usable.ok()) Fail(usable);
}

void RedisLink::Loop::OnPushed(const std::vector<std::string_view>& parts) {
  if (parts.size() < 3) return Fail(absl::UnavailableError("Redis pushes what nobody asked for"));
  const std::string_view channel = parts[1];
  if (parts[0] != "message" && parts[0] != "smessage") return OnAcknowledged(channel);
  if (channel != canary_channel_) {
    if (subscriptions_.Heard(channel)) handler_->OnMessage(channel, parts[2]);
    return;
  }
  canaries_missing_ = 0;
  canary_returned_ = true;
  BeUpIfProved();
}

void RedisLink::Loop::OnAcknowledged(std::string_view channel) {
  if (channel == canary_channel_ && state_ == State::kConnecting) return SendCanary();
  if (subscriptions_.Awaits(channel)) return subscriptions_.OnAcknowledged(channel);
  // A Redis Cluster ends the sharded subscriptions of a slot that it has moved away.
  Fail(absl::UnavailableError("Redis has ended a subscription"));
}

void RedisLink::Loop::OnSubscriptionRefused(std::string_view error) {
  if (!sharded_ || state_ != State::kConnecting || RedisErrorCode(error) != "ERR") {
    return Fail(RedisErrorStatus(error));
  }
  sharded_ = false;  // an older Redis does not know the command
  SubscribeToCanary();
}

void RedisLink::Loop::SendCanary() {
  ++canaries_missing_;
  const auto published = [this,
                          sent = clock_.Now().uptime](const absl::StatusOr<RedisValue>& receivers) {
    if (!receivers.ok()) return Fail(receivers.status());
    handler_->OnRoundTrip(clock_.Now().uptime - sent);
    if (receivers->integer() < 1) {
      // A name that stands for several servers may have led the two connections to two of them.
      return Fail(absl::UnavailableError("what is published does not reach the subscriptions"));
    }
    canary_published_ = true;
    BeUpIfProved();
  };
  commands_.Send(
      *command_connection_,
      {.words = {sharded_ ? "SPUBLISH" : "PUBLISH", canary_channel_, ""}, .done = published});
}

void RedisLink::Loop::OnCanaryTick() {
  silent_ticks_ = commands_.empty() ? 0 : silent_ticks_ + 1;
  if (canaries_missing_ >= canaries_max_ || silent_ticks_ > canaries_max_) {
    return Fail(absl::UnavailableError(
        fmt::format("silent for {}", absl::FormatDuration(patience_.silence))));
  }
  SendCanary();
}

void RedisLink::Loop::OnDeadlineTick() {
  commands_.Expire(clock_.Now().uptime);
  if (commands_.empty()) ev_timer_stop(loop_, &deadlines_);
}

}  // namespace wsrouter
