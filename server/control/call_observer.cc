#include "control/call_observer.h"

#include <utility>

#include "absl/status/status.h"
#include "base/log.h"
#include "control/access.h"
#include "control/trace_context.h"

namespace wsrouter {
namespace {

using grpc::experimental::InterceptionHookPoints;
using grpc::experimental::ServerRpcInfo;

}  // namespace

// One call. gRPC frees it when it is done with the call.
class CallObserver::Observed final : public grpc::experimental::Interceptor {
 public:
  Observed(CallObserver& observer, ServerRpcInfo& info, size_t method)
      : observer_(observer), info_(info), method_(method), begun_(observer.clock_.Now().uptime) {
    if (unary_) observer_.measures_.calls_in_flight.fetch_add(1, std::memory_order_relaxed);
  }
  // A call that never got a status ends here, where nothing can be asked of its context any more.
  ~Observed() override { Measure(grpc::StatusCode::CANCELLED); }

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_STATUS)) {
      const grpc::StatusCode code = methods->GetSendStatus().error_code();
      Measure(code);
      if (LogsAt(LogLevel::kDebug)) Tell(code);
    }
    methods->Proceed();
  }

 private:
  absl::Duration age() const { return observer_.clock_.Now().uptime - begun_; }

  void Measure(grpc::StatusCode code) {
    if (std::exchange(ended_, true) || !unary_) return;
    ControlMeasures& measures = observer_.measures_;
    measures.calls_in_flight.fetch_sub(1, std::memory_order_relaxed);
    measures.calls.Add(method_, static_cast<size_t>(OutcomeOf(code)), age());
  }

  void Tell(grpc::StatusCode code) const {
    const grpc::ServerContextBase& context = *info_.server_context();
    const TraceContext trace = TraceOf(context);
    Log(LogLevel::kDebug, "call",
        {{"method", info_.method()},
         {"caller", observer_.access_.NameOf(context)},
         {"code", StdView(absl::StatusCodeToString(static_cast<absl::StatusCode>(code)))},
         {"duration_us", absl::ToInt64Microseconds(age())},
         {"trace_id", trace.trace_id},
         {"span_id", trace.span_id}});
  }

  CallObserver& observer_;
  ServerRpcInfo& info_;
  const size_t method_;
  const bool unary_ = info_.type() == ServerRpcInfo::Type::UNARY;
  const absl::Duration begun_;
  bool ended_ = false;
};

CallObserver::CallObserver(const AccessCheck& access, ControlMeasures& measures, const Clock& clock)
    : access_(access), measures_(measures), clock_(clock) {
  for (size_t i = 0; i + 1 < measures.calls.methods().size(); ++i) {
    methods_.emplace("/" + measures.calls.methods()[i], i);
  }
}

grpc::experimental::Interceptor* CallObserver::CreateServerInterceptor(ServerRpcInfo* info) {
  const auto found = methods_.find(std::string_view(info->method()));
  const size_t other = measures_.calls.methods().size() - 1;
  return new Observed(*this, *info, found == methods_.end() ? other : found->second);
}

std::vector<std::string> ObservedMethods() {
  std::vector<std::string> methods = KnownMethods();
  for (std::string& method : methods) method.erase(0, 1);  // the slash
  methods.emplace_back("other");
  return methods;
}

CallOutcome OutcomeOf(grpc::StatusCode code) {
  switch (code) {
    case grpc::StatusCode::OK:
      return CallOutcome::kOk;
    case grpc::StatusCode::UNKNOWN:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::INTERNAL:
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DATA_LOSS:
      return CallOutcome::kFailed;
    default:
      return CallOutcome::kRefused;
  }
}

}  // namespace wsrouter
