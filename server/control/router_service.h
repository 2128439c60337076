#ifndef WSROUTER_CONTROL_ROUTER_SERVICE_H_
#define WSROUTER_CONTROL_ROUTER_SERVICE_H_

#include <cstddef>

#include "base/clock.h"
#include "control/history_calls.h"
#include "control/membership_calls.h"
#include "control/push_calls.h"
#include "control/query_calls.h"
#include "control/rpc.h"
#include "core/broker.h"
#include "core/counters.h"
#include "core/directory.h"
#include "wsrouter/v1/router.grpc.pb.h"

namespace wsrouter {

// wsrouter.v1.Router on gRPC: hands each RPC to the calls that know what it means.
class RouterService final : public RawService<v1::Router> {
 public:
  RouterService(AccessCheck& access, Broker& broker, Directory& directory,
                wsrouter::History& history, Counters& counters, const Clock& clock,
                NodeIdentity node, size_t payload_bytes_max);

 private:
  MembershipCalls membership_;
  PushCalls push_;
  QueryCalls query_;
  HistoryCalls history_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_ROUTER_SERVICE_H_
