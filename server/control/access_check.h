#ifndef WSROUTER_CONTROL_ACCESS_CHECK_H_
#define WSROUTER_CONTROL_ACCESS_CHECK_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "base/clock.h"
#include "base/strings.h"
#include "control/access.h"
#include "control/call_rates.h"
#include "control/trace_context.h"
#include "core/counters.h"
#include "grpc/grpc_security_constants.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"

namespace wsrouter {

// Where gRPC has the names of a caller's certificate. Without one there are none of these.
inline constexpr const char* kNameProperties[] = {
    GRPC_X509_CN_PROPERTY_NAME, GRPC_PEER_DNS_PROPERTY_NAME, GRPC_PEER_URI_PROPERTY_NAME};

// Asks Access about every call before anything of it is looked at; counts and logs what is denied.
//
// Calls of our services are checked where they arrive (Guard), so that a denial has its reason. All
// others (reflection, health, methods that do not exist) never reach code of ours:
// ServerCredentials has gRPC itself ask for them (AdmitOther), which can send a code and a message
// only. A method that nobody guards is asked for there, too, so none is left out.
class AccessCheck {
 public:
  // The request is null where it comes later, as that of a stream does.
  using Guarded =
      std::function<absl::Status(const grpc::CallbackServerContext&, const grpc::ByteBuffer*)>;

  // Callers that may call are held to `rate`, each by its name, or its address where it has none,
  // and to requests of `request_bytes_max`.
  AccessCheck(Access& access, Counters& counters, const Clock& clock, size_t request_bytes_max,
              RateLimit rate = {})
      : access_(access),
        counters_(counters),
        clock_(clock),
        request_bytes_max_(request_bytes_max),
        rates_(rate, clock) {}

  // What the handler of `method` has to call first. While the server is put together.
  Guarded Guard(std::string method);

  // Whether a caller may still make a call of `method` that goes on for long. Keeps what the caller
  // showed; a denial is counted and logged as that of a new call is. Any thread.
  using Standing = std::function<absl::Status()>;
  // Null where nothing is asked of callers.
  Standing StandingOf(const grpc::CallbackServerContext& context, std::string method) const;
  // What a stream has to call before each part of it that stands for a call of its own.
  using Charge = std::function<absl::Status()>;
  // Null where callers have no rate.
  Charge ChargeOf(const grpc::CallbackServerContext& context);
  bool required() const { return access_.required(); }

  // Under which name the caller is known: of its token or certificate, or else its address. Any
  // thread.
  std::string NameOf(const grpc::ServerContextBase& context) const;

  // Of any other call, by gRPC. Any thread.
  absl::Status AdmitOther(std::string_view method, const Caller& caller) const;

 private:
  absl::Status Admit(const grpc::CallbackServerContext& context, std::string_view method);
  void OnDenied(std::string_view method, std::string_view peer, const absl::Status& verdict,
                const TraceContext& trace) const;

  Access& access_;
  Counters& counters_;
  const Clock& clock_;
  const size_t request_bytes_max_;
  CallRates rates_;
  absl::flat_hash_set<std::string, StringHash, std::equal_to<>> guarded_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_ACCESS_CHECK_H_
