#include "control/admin_service.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "control/convert.h"
#include "control/errors.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kDrainWindowMax = absl::Hours(1);

absl::StatusOr<std::optional<absl::Duration>> Window(const v1::DrainRequest& request) {
  if (!request.has_window()) return std::nullopt;
  const absl::Duration window =
      absl::Seconds(request.window().seconds()) + absl::Nanoseconds(request.window().nanos());
  if (window >= absl::ZeroDuration() && window <= kDrainWindowMax) return window;
  return BadField("window", "FIELD_OUT_OF_RANGE", "window is out of range, want 0s to 3600s");
}

}  // namespace

void AdminCalls::Stats(const v1::StatsRequest&, Answer<v1::StatsResponse> answer) {
  v1::StatsResponse response;
  response.set_server_id(stats_.node().server_id);
  response.set_incarnation(ToProto(stats_.node()));
  response.set_version(stats_.version());
  *response.mutable_started_at() = ToProto(stats_.started_at());
  *response.mutable_uptime() = ToProto(clock_.Now().uptime - started_uptime_);
  auto& counters = *response.mutable_counters();
  for (size_t i = 0; i < kCounterNames.size(); ++i) {
    counters[std::string(kCounterNames[i])] = stats_.Total(static_cast<Counter>(i));
  }
  const wsrouter::Stats::Now now = stats_.Read();
  auto& gauges = *response.mutable_gauges();
  gauges["connections"] = static_cast<double>(now.connections);
  // The two are read one after the other, while shards go on counting.
  gauges["connections_unowned"] =
      static_cast<double>(now.connections - std::min(now.owned, now.connections));
  gauges["rooms"] = static_cast<double>(now.rooms);
  gauges["members"] = static_cast<double>(now.members);
  gauges["outbox_bytes"] = static_cast<double>(now.outbox_bytes);
  gauges["draining"] = node_.draining() ? 1 : 0;
  gauges["watchers"] = static_cast<double>(watchers_.load(std::memory_order_relaxed));
  std::move(answer)(std::move(response));
}

void AdminCalls::Nodes(const v1::NodesRequest&, Answer<v1::NodesResponse> answer) {
  directory_.Nodes([self = stats_.node(), draining = node_.draining(),
                    answer = std::move(answer)](absl::StatusOr<std::vector<NodeRow>> rows) mutable {
    if (!rows.ok()) return std::move(answer)(rows.status());
    std::ranges::sort(*rows, {}, &NodeRow::node);
    v1::NodesResponse response;
    for (const NodeRow& row : *rows) {
      v1::NodeInfo& node = *response.add_nodes();
      node.set_server_id(row.node.server_id);
      node.set_incarnation(ToProto(row.node));
      node.set_version(row.version);
      *node.mutable_started_at() = ToProto(row.started_at);
      *node.mutable_last_heartbeat() = ToProto(row.heartbeat_at);
      node.set_self(row.node == self);
      node.set_draining(node.self() ? draining : row.draining);
      node.set_clients(row.online.clients);
      node.set_connections(row.online.connections);
    }
    std::move(answer)(std::move(response));
  });
}

void AdminCalls::RunStaleServerGC(const v1::RunStaleServerGCRequest&,
                                  Answer<v1::RunStaleServerGCResponse> answer) {
  directory_.ReapStaleServers([answer = std::move(answer)](absl::StatusOr<uint64_t> rows) mutable {
    if (!rows.ok()) return std::move(answer)(rows.status());
    v1::RunStaleServerGCResponse response;
    response.set_reaped_rows(*rows);
    std::move(answer)(std::move(response));
  });
}

void AdminCalls::Drain(const v1::DrainRequest& request, Answer<v1::DrainResponse> answer) {
  const absl::StatusOr<std::optional<absl::Duration>> window = Window(request);
  if (!window.ok()) return std::move(answer)(window.status());
  v1::DrainResponse response;
  response.set_connections(stats_.Read().connections);
  if (absl::Status drained = node_.Drain(*window); !drained.ok()) {
    return std::move(answer)(std::move(drained));
  }
  std::move(answer)(std::move(response));
}

void AdminCalls::Undrain(const v1::UndrainRequest&, Answer<v1::UndrainResponse> answer) {
  if (absl::Status filled = node_.Undrain(); !filled.ok()) {
    return std::move(answer)(std::move(filled));
  }
  std::move(answer)(v1::UndrainResponse());
}

void AdminCalls::GetConfig(const v1::GetConfigRequest&, Answer<v1::GetConfigResponse> answer) {
  v1::GetConfigResponse response;
  response.set_yaml(config_());
  std::move(answer)(std::move(response));
}

AdminService::AdminService(AccessCheck& access, AdminCalls calls, RateLimits& rates)
    : RawService(access), calls_(std::move(calls)), limits_(rates) {
  Bind("Stats", calls_, &AdminCalls::Stats);
  Bind("Nodes", calls_, &AdminCalls::Nodes);
  Bind("RunStaleServerGC", calls_, &AdminCalls::RunStaleServerGC);
  Bind("Drain", calls_, &AdminCalls::Drain);
  Bind("Undrain", calls_, &AdminCalls::Undrain);
  Bind("GetConfig", calls_, &AdminCalls::GetConfig);
  Bind("SetRoomRateLimit", limits_, &LimitCalls::SetRoomRateLimit);
  Bind("SetClientRateLimit", limits_, &LimitCalls::SetClientRateLimit);
  Bind("GetLimits", limits_, &LimitCalls::GetLimits);
}

}  // namespace wsrouter
