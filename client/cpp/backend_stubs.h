#ifndef WSROUTER_CLIENT_CPP_BACKEND_STUBS_H_
#define WSROUTER_CLIENT_CPP_BACKEND_STUBS_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <type_traits>
#include <utility>

#include "absl/time/clock.h"
#include "status.h"
#include "wsrouter/backend_client.h"
#include "wsrouter/v1/events.grpc.pb.h"
#include "wsrouter/v1/router.grpc.pb.h"

namespace wsrouter::client {

// The generated stubs, and what every call has in common. Immutable; any thread.
class BackendClient::Stubs {
 public:
  Stubs(const std::shared_ptr<grpc::Channel>& channel, BackendClientOptions options)
      : options_(std::move(options)), router_(channel), admin_(channel), events_(channel) {}

  // Makes one unary call by a method of Router or Admin.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                             Response*),
                                const Request& request, const CallOptions& options) const {
    grpc::ClientContext context;
    AddMetadata(context);
    context.set_wait_for_ready(options.wait_for_ready);
    const absl::Duration deadline = options.deadline.value_or(options_.deadline);
    if (deadline != absl::InfiniteDuration()) {
      context.set_deadline(absl::ToChronoTime(absl::Now() + deadline));
    }
    Response response;
    const grpc::Status status = (StubOf<Stub>().*method)(&context, request, &response);
    if (!status.ok()) return FromGrpc(status);
    return response;
  }

  void AddMetadata(grpc::ClientContext& context) const {
    if (!options_.token.empty()) context.AddMetadata("authorization", "Bearer " + options_.token);
    for (const auto& [key, value] : options_.metadata) context.AddMetadata(key, value);
  }

  const BackoffOptions& backoff() const { return options_.backoff; }
  v1::Events::Stub& events() const { return events_; }

 private:
  template <typename Stub>
  Stub& StubOf() const {
    if constexpr (std::is_same_v<Stub, v1::Router::Stub>) {
      return router_;
    } else {
      return admin_;
    }
  }

  const BackendClientOptions options_;
  // Generated methods are not const, although every thread may call them.
  mutable v1::Router::Stub router_;
  mutable v1::Admin::Stub admin_;
  mutable v1::Events::Stub events_;
};

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_CPP_BACKEND_STUBS_H_
