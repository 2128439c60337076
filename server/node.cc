#include "node.h"

#include <algorithm>
#include <random>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/strings.h"
#include "config.h"
#include "config_value.h"
#include "control/call_observer.h"
#include "core/error.h"
#include "engine/memory_engine.h"
#include "engine/redis_engine.h"
#include "fmt/format.h"
#include "node_options.h"

namespace wsrouter {
namespace {

// A shard that has not turned its loop for so long is stuck.
constexpr absl::Duration kLagMax = absl::Seconds(10);
// Once no connection is left: what services get to hear of the last ends, and then calls and
// streams to finish.
constexpr absl::Duration kEndsGrace = absl::Milliseconds(500);
constexpr absl::Duration kCallsGrace = absl::Milliseconds(500);
// What giving the directory back what it holds of this node may take; there is little left then.
constexpr absl::Duration kResignGrace = absl::Seconds(2);

constexpr std::string_view kNotServing = "the node is starting or stopping";

uint64_t DrawIncarnation() {
  std::random_device random;
  return (uint64_t{random()} << 32) | random();
}

std::unique_ptr<Engine> MakeEngine(const v1::Config& config, Stats& stats, Measures& measures,
                                   EventHub& events, const Clock& clock) {
  const NodeRow self = {
      .node = stats.node(), .version = stats.version(), .started_at = stats.started_at()};
  const v1::RedisConfig& redis = config.redis();
  if (redis.url().empty() && redis.sentinels().empty() && redis.cluster().empty()) {
    return std::make_unique<MemoryEngine>(self, ToLimits(config), clock, stats.AddCounters(),
                                          ToNamespaces(config), ToHistoryLimits(config),
                                          ToEventLogOptions(config));
  }
  RedisEngine::Options options = ToRedisOptions(config);
  options.self = self;
  return std::make_unique<RedisEngine>(options, RedisEngine::Parts{.events = events,
                                                                   .stats = stats,
                                                                   .counters = stats.AddCounters(),
                                                                   .measures = &measures.AddBlock(),
                                                                   .clock = clock});
}

}  // namespace

Node::Node(const v1::Config& config, std::string version)
    : stats_({.server_id = config.node().server_id(), .incarnation = DrawIncarnation()},
             std::move(version), clock_.Now().wall),
      control_measures_(ObservedMethods(), BackendMethodNames()),
      control_counters_(stats_.AddCounters()),
      events_(control_counters_),
      engine_(MakeEngine(config, stats_, measures_, events_, clock_)),
      slow_log_(events_, engine_->log()) {
  absl::MutexLock lock(&mutex_);
  Keep(config);
}

absl::StatusOr<std::unique_ptr<Node>> Node::Start(const v1::Config& config, std::string version) {
  std::unique_ptr<Node> node(new Node(config, std::move(version)));
  if (absl::Status status = node->StartParts(config); !status.ok()) return status;
  return node;
}

absl::Status Node::StartParts(const v1::Config& config) {
  absl::StatusOr<GatewayOptions> options =
      ToGatewayOptions(config, std::thread::hardware_concurrency());
  if (!options.ok()) return options.status();

  auto backend =
      BackendRoutes::Create(ToBackendOptions(config), control_counters_, control_measures_, clock_);
  if (!backend.ok()) return backend.status();
  backend_ = *std::move(backend);
  if (const DoorOptions door = ToDoorOptions(config); door.wanted()) {
    auto opened = Door::Open(door, backend_.get(), clock_);
    if (!opened.ok()) return opened.status();
    door_ = *std::move(opened);
  }

  engine_->Start();

  absl::StatusOr<std::unique_ptr<Gateway>> gateway =
      Gateway::Create({.options = *std::move(options),
                       .limits = ToLimits(config),
                       .broker = engine_->broker(),
                       .directory = engine_->directory(),
                       .events = slow_log_,
                       .backend = door_ != nullptr ? &door_->backend() : backend_.get(),
                       .stats = stats_,
                       .measures = measures_,
                       .clock = clock_,
                       .sessions = &engine_->sessions(),
                       .history = &engine_->history()});
  if (!gateway.ok()) return gateway.status();
  gateway_ = *std::move(gateway);

  absl::StatusOr<std::unique_ptr<ControlServer>> control = ControlServer::Start(
      ToControlOptions(config), {.broker = engine_->broker(),
                                 .directory = engine_->directory(),
                                 .rates = engine_->rates(),
                                 .history = engine_->history(),
                                 .log = engine_->log(),
                                 .stats = stats_,
                                 .counters = control_counters_,
                                 .events = events_,
                                 .measures = control_measures_,
                                 .attached = backend_.get(),
                                 .node = *this,
                                 .clock = clock_,
                                 .effective_config = [this] { return ConfigInForce(); }});
  if (!control.ok()) return control.status();
  control_ = *std::move(control);

  if (absl::Status admin = StartAdmin(config); !admin.ok()) return admin;
  absl::MutexLock lock(&mutex_);
  serving_ = true;
  SetReady(true);
  return absl::OkStatus();
}

absl::Status Node::StartAdmin(const v1::Config& config) {
  absl::StatusOr<std::unique_ptr<AdminServer>> admin =
      AdminServer::Start(ToAdminOptions(config), stats_,
                         {.live = [this] { return Live(); },
                          .ready = [this] { return Ready(); },
                          .load = [this] { return Load(); },
                          .measures = &measures_,
                          .control = &control_measures_},
                         clock_);
  if (!admin.ok()) return admin.status();
  admin_ = *std::move(admin);
  return absl::OkStatus();
}

absl::Status Node::Live() const {
  absl::MutexLock lock(&mutex_);
  if (stopping_) return absl::OkStatus();
  const absl::Duration lag = gateway_->Lag();
  if (lag < kLagMax) return absl::OkStatus();
  return absl::UnavailableError(
      fmt::format("a shard has been stuck for {} s", absl::ToInt64Seconds(lag)));
}

LoopLoad Node::Load() const {
  absl::MutexLock lock(&mutex_);
  return stopping_ ? LoopLoad{} : gateway_->Load();
}

absl::Status Node::Ready() const {
  if (draining_) return absl::UnavailableError("draining");
  if (!ready_) return absl::UnavailableError("starting or stopping");
  if (!engine_->Joined()) return absl::UnavailableError("not yet a part of the cluster");
  return absl::OkStatus();
}

absl::Status Node::Reload(const v1::Config& config) {
  absl::StatusOr<GatewayOptions> options =
      ToGatewayOptions(config, std::thread::hardware_concurrency());
  if (!options.ok()) return options.status();
  absl::MutexLock lock(&mutex_);
  engine_->SetNamespaces(ToNamespaces(config));
  gateway_->Reload(*std::move(options), ToLimits(config));
  Keep(config);
  return absl::OkStatus();
}

void Node::Keep(const v1::Config& config) {
  drain_window_ = ToDuration(config.drain().window());
  effective_config_ = EffectiveConfig(config);
}

std::string Node::ConfigInForce() const {
  absl::MutexLock lock(&mutex_);
  return effective_config_;
}

void Node::SetReady(bool ready) {
  ready_ = ready;
  control_->SetReady(ready);
}

void Node::Retire() {
  absl::MutexLock lock(&mutex_);
  if (std::exchange(serving_, false)) SetReady(false);
}

absl::Status Node::Drain(std::optional<absl::Duration> window) {
  absl::MutexLock lock(&mutex_);
  if (!serving_) return Refusal(absl::StatusCode::kUnavailable, "NODE_STOPPING", kNotServing);
  draining_ = true;
  SetReady(false);
  const absl::Duration spread = window.value_or(drain_window_);
  Log(LogLevel::kInfo, "draining", {{"window_seconds", absl::ToDoubleSeconds(spread)}});
  engine_->SetDraining(true);
  gateway_->Drain(spread);
  return absl::OkStatus();
}

absl::Status Node::Undrain() {
  absl::MutexLock lock(&mutex_);
  if (!serving_) return Refusal(absl::StatusCode::kUnavailable, "NODE_STOPPING", kNotServing);
  if (!draining_.exchange(false)) return absl::OkStatus();
  Log(LogLevel::kInfo, "undrained");
  engine_->SetDraining(false);
  gateway_->Undrain();
  SetReady(true);
  return absl::OkStatus();
}

void Node::Stop(absl::Duration deadline, absl::Duration window) {
  {
    absl::MutexLock lock(&mutex_);
    if (std::exchange(stopping_, true)) return;
  }
  Retire();
  // Services see the DISCONNECTED events of the last connections before their streams end.
  const absl::Duration patience =
      std::max(absl::ZeroDuration(), deadline - kEndsGrace - kCallsGrace);
  if (gateway_ != nullptr) gateway_->Stop(patience, window);
  if (backend_ != nullptr) backend_->Stop(kEndsGrace);
  // Calls wait for what the engine answers, so it ends behind them, and answers to the last.
  if (control_ != nullptr) control_->Shutdown(kCallsGrace);
  engine_->Stop(kResignGrace);
  if (admin_ != nullptr) admin_->Stop();
}

}  // namespace wsrouter
