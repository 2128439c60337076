#include "control/access_check.h"

#include <memory>
#include <utility>
#include <vector>

#include "base/log.h"
#include "control/errors.h"
#include "core/error.h"
#include "fmt/format.h"
#include "grpcpp/security/auth_context.h"

namespace wsrouter {
namespace {

std::string_view View(const grpc::string_ref& text) { return {text.data(), text.size()}; }

// For as long as the context is there.
Caller CallerOf(const grpc::ServerContextBase& context) {
  Caller caller;
  const std::shared_ptr<const grpc::AuthContext> shown = context.auth_context();
  if (shown != nullptr) {
    for (const char* property : kNameProperties) {
      for (const grpc::string_ref& name : shown->FindPropertyValues(property)) {
        caller.names.push_back(View(name));
      }
    }
  }
  const auto [begin, end] = context.client_metadata().equal_range("authorization");
  for (auto header = begin; header != end; ++header) {
    caller.authorization.push_back(View(header->second));
  }
  return caller;
}

std::vector<std::string> Kept(const std::vector<std::string_view>& texts) {
  return {texts.begin(), texts.end()};
}
std::vector<std::string_view> Views(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

}  // namespace

AccessCheck::Guarded AccessCheck::Guard(std::string method) {
  guarded_.insert(method);
  return [this, method = std::move(method)](const grpc::CallbackServerContext& context,
                                            const grpc::ByteBuffer* request) -> absl::Status {
    if (absl::Status admitted = Admit(context, method); !admitted.ok()) return admitted;
    const size_t octets = request == nullptr ? 0 : request->Length();
    return octets <= request_bytes_max_ ? absl::OkStatus()
                                        : RequestTooLarge(octets, request_bytes_max_);
  };
}

absl::Status AccessCheck::Admit(const grpc::CallbackServerContext& context,
                                std::string_view method) {
  if (!access_.required()) {
    return rates_.on() ? rates_.Admit(PeerHost(context.peer())) : absl::OkStatus();
  }
  const Caller caller = CallerOf(context);
  const absl::Time now = clock_.Now().wall;
  absl::Status verdict = access_.Check(method, caller, now);
  if (!verdict.ok()) OnDenied(method, context.peer(), verdict, TraceOf(context));
  if (!verdict.ok() || !rates_.on()) return verdict;
  return rates_.Admit(access_.NameOf(caller, now));
}

AccessCheck::Standing AccessCheck::StandingOf(const grpc::CallbackServerContext& context,
                                              std::string method) const {
  if (!access_.required()) return nullptr;
  const Caller caller = CallerOf(context);
  return [this, method = std::move(method), peer = context.peer(), names = Kept(caller.names),
          authorization = Kept(caller.authorization), trace = TraceOf(context)] {
    const Caller kept = {.names = Views(names), .authorization = Views(authorization)};
    absl::Status verdict = access_.Check(method, kept, clock_.Now().wall);
    if (!verdict.ok()) OnDenied(method, peer, verdict, trace);
    return verdict;
  };
}

AccessCheck::Charge AccessCheck::ChargeOf(const grpc::CallbackServerContext& context) {
  if (!rates_.on()) return nullptr;
  return [this, caller = NameOf(context)] { return rates_.Admit(caller); };
}

std::string AccessCheck::NameOf(const grpc::ServerContextBase& context) const {
  std::string name = access_.NameOf(CallerOf(context), clock_.Now().wall);
  return name.empty() ? std::string(PeerHost(context.peer())) : name;
}

absl::Status AccessCheck::AdmitOther(std::string_view method, const Caller& caller) const {
  if (guarded_.contains(method)) return absl::OkStatus();
  absl::Status verdict = access_.Check(method, caller, clock_.Now().wall);
  if (!verdict.ok()) OnDenied(method, "", verdict, {});
  return verdict;
}

void AccessCheck::OnDenied(std::string_view method, std::string_view peer,
                           const absl::Status& verdict, const TraceContext& trace) const {
  counters_.Add(Counter::kCallsDenied);
  static LogLimiter limiter(5);
  int64_t suppressed = 0;
  if (!limiter.Allow(absl::ToInt64Seconds(clock_.Now().uptime), &suppressed)) return;
  Log(LogLevel::kWarning, "call_denied",
      {{"method", method},
       {"peer", peer},
       {"reason", absl::IsUnauthenticated(verdict) ? "UNAUTHENTICATED_CALL" : "ROLE_MISSING"},
       {"trace_id", trace.trace_id},
       {"span_id", trace.span_id},
       {"suppressed", suppressed}});
}

}  // namespace wsrouter
