#ifndef WSROUTER_CONTROL_ROUTER_SERVICE_H_
#define WSROUTER_CONTROL_ROUTER_SERVICE_H_

#include <cstddef>

#include "base/clock.h"
#include "control/history_calls.h"
#include "control/membership_calls.h"
#include "control/push_calls.h"
#include "control/push_streams.h"
#include "control/query_calls.h"
#include "control/rpc.h"
#include "core/broker.h"
#include "core/control_measures.h"
#include "core/counters.h"
#include "core/directory.h"
#include "wsrouter/v1/router.grpc.pb.h"

namespace wsrouter {

// wsrouter.v1.Router on gRPC: hands each RPC to the calls that know what it means.
class RouterService final : public RawService<v1::Router> {
 public:
  struct Limits {
    size_t payload_bytes_max = size_t{1} << 20;
    size_t request_bytes_max = size_t{4} << 20;
    uint32_t push_streams_max = 64;
  };
  struct Parts {
    Broker& broker;
    Directory& directory;
    wsrouter::History& history;
    Counters& counters;
    ControlMeasures& measures;
    const Clock& clock;
    const NodeIdentity& node;
  };

  RouterService(AccessCheck& access, const Parts& parts, const Limits& limits);

  // Ends every stream with NODE_STOPPING and opens no new ones.
  void Stop() { push_streams_.Stop(); }
  // Ends the streams whose callers may not have them any more.
  void EndFallen() { push_streams_.EndFallen(); }

 private:
  MembershipCalls membership_;
  PushCalls push_;
  PushStreams push_streams_;
  QueryCalls query_;
  HistoryCalls history_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_ROUTER_SERVICE_H_
