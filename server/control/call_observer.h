#ifndef WSROUTER_CONTROL_CALL_OBSERVER_H_
#define WSROUTER_CONTROL_CALL_OBSERVER_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/strings.h"
#include "control/access_check.h"
#include "core/control_measures.h"
#include "grpcpp/support/server_interceptor.h"
#include "grpcpp/support/status.h"

namespace wsrouter {

// Sees every call of the server come and end: measures how long unary ones take, and at the log's
// level debug writes a line about each, with the trace that it belongs to. Any thread.
class CallObserver final : public grpc::experimental::ServerInterceptorFactoryInterface {
 public:
  // All of them outlive the server. `measures` has the methods of ObservedMethods.
  CallObserver(const AccessCheck& access, ControlMeasures& measures, const Clock& clock);

  grpc::experimental::Interceptor* CreateServerInterceptor(
      grpc::experimental::ServerRpcInfo* info) override;

 private:
  class Observed;

  const AccessCheck& access_;
  ControlMeasures& measures_;
  const Clock& clock_;
  StringMap<size_t> methods_;  // by the name in a request, "/wsrouter.v1.Router/Push"
};

// Under which names the calls of this server are measured: "wsrouter.v1.Router/Push", ..., "other".
std::vector<std::string> ObservedMethods();

CallOutcome OutcomeOf(grpc::StatusCode code);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_CALL_OBSERVER_H_
