#ifndef WSROUTER_CONTROL_ADMIN_SERVICE_H_
#define WSROUTER_CONTROL_ADMIN_SERVICE_H_

#include <atomic>
#include <functional>
#include <string>

#include "absl/time/time.h"
#include "base/clock.h"
#include "control/answer.h"
#include "control/limit_calls.h"
#include "control/rpc.h"
#include "core/directory.h"
#include "core/drainable.h"
#include "core/stats.h"
#include "wsrouter/v1/router.grpc.pb.h"

namespace wsrouter {

// What the Admin service asks of the node and of the cluster. Any thread.
class AdminCalls {
 public:
  // `watchers` counts the open streams of the Events service.
  AdminCalls(Directory& directory, Drainable& node, const Stats& stats, const Clock& clock,
             const std::atomic<uint64_t>& watchers, std::function<std::string()> effective_config)
      : directory_(directory),
        node_(node),
        stats_(stats),
        clock_(clock),
        watchers_(watchers),
        config_(std::move(effective_config)),
        started_uptime_(clock.Now().uptime) {}

  void Stats(const v1::StatsRequest& request, Answer<v1::StatsResponse> answer);
  void Nodes(const v1::NodesRequest& request, Answer<v1::NodesResponse> answer);
  void RunStaleServerGC(const v1::RunStaleServerGCRequest& request,
                        Answer<v1::RunStaleServerGCResponse> answer);
  void Drain(const v1::DrainRequest& request, Answer<v1::DrainResponse> answer);
  void Undrain(const v1::UndrainRequest& request, Answer<v1::UndrainResponse> answer);
  void GetConfig(const v1::GetConfigRequest& request, Answer<v1::GetConfigResponse> answer);

 private:
  Directory& directory_;
  Drainable& node_;
  const wsrouter::Stats& stats_;
  const Clock& clock_;
  const std::atomic<uint64_t>& watchers_;
  const std::function<std::string()> config_;
  const absl::Duration started_uptime_;
};

// wsrouter.v1.Admin on gRPC.
class AdminService final : public RawService<v1::Admin> {
 public:
  AdminService(AccessCheck& access, AdminCalls calls, RateLimits& rates);

 private:
  AdminCalls calls_;
  LimitCalls limits_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_ADMIN_SERVICE_H_
