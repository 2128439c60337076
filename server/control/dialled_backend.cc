#include "control/dialled_backend.h"

#include <utility>
#include <vector>

#include "control/backend_question.h"
#include "control/rpc.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/channel_arguments.h"

namespace wsrouter {
namespace {

int ToMillis(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

// A peer is asked whether it lives as seldom as gRPC's servers bear by default. What was sent and
// is not acknowledged for the timeout ends the connection in any case (TCP_USER_TIMEOUT).
grpc::ChannelArguments Arguments(const BackendOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetServiceConfigJSON(R"({"loadBalancingConfig":[{"round_robin":{}}]})");
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, ToMillis(absl::Seconds(301)));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ToMillis(absl::Seconds(10)));
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, ToMillis(absl::Milliseconds(200)));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, ToMillis(absl::Milliseconds(200)));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, ToMillis(absl::Seconds(5)));
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, ToMillis(absl::Seconds(5)));
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
  return arguments;
}

// The same numbers stand for the same codes.
absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// Parsed here: gRPC would hand on what it had parsed until then, as if that were the answer.
template <typename Response>
absl::StatusOr<BackendResponse> ReadResponse(const grpc::Status& status,
                                             const grpc::ByteBuffer& octets) {
  if (!status.ok()) return ToAbsl(status);
  Response response;
  if (!octets.Valid() || !ParseRequest(octets, response).ok()) return UnreadableAnswer();
  return response;
}

}  // namespace

template <typename Request>
struct DialledBackend::Call {
  grpc::ClientContext context;
  Request request;
  grpc::ByteBuffer response;
};

DialledBackend::DialledBackend(std::string target,
                               const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                               const BackendOptions& options, BackendAnswers& answers,
                               const Clock& clock)
    : BackendService({.concurrency_max = options.concurrency_max, .queue_max = options.queue_max}),
      target_(std::move(target)),
      answers_(answers),
      clock_(clock),
      options_(options) {
  methods = options.methods;
  Dial(credentials);
}

void DialledBackend::Dial(const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  lines_.push_back(std::make_shared<const Line>(
      Line{grpc::CreateCustomChannel(target_, credentials, Arguments(options_))}));
}

DialledBackend::~DialledBackend() {
  std::vector<std::shared_ptr<grpc::ClientContext>> contexts;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [number, running] : calls_) contexts.push_back(running.context);
  }
  for (const auto& context : contexts) context->TryCancel();
  absl::MutexLock lock(&pending_->mutex);
  while (pending_->count > 0) pending_->none.Wait(&pending_->mutex);
}

void DialledBackend::Ask(uint64_t call, const BackendRequest& request, absl::Duration timeout) {
  switch (MethodOf(request)) {
    case BackendMethod::kConnect:
      return Start<v1::ConnectResponse>(call, std::get<v1::ConnectRequest>(request), timeout,
                                        "/wsrouter.v1.Backend/Connect");
    case BackendMethod::kMessage:
      return Start<v1::MessageResponse>(call, std::get<v1::MessageRequest>(request), timeout,
                                        "/wsrouter.v1.Backend/Message");
    case BackendMethod::kDisconnected:
      return Start<v1::DisconnectedResponse>(call, std::get<v1::DisconnectedRequest>(request),
                                             timeout, "/wsrouter.v1.Backend/Disconnected");
    case BackendMethod::kJoinCheck:
      return Start<v1::JoinCheckResponse>(call, std::get<v1::JoinCheckRequest>(request), timeout,
                                          "/wsrouter.v1.Backend/JoinCheck");
  }
}

template <typename Response, typename Request>
void DialledBackend::Start(uint64_t number, const Request& request, absl::Duration timeout,
                           const char* method) {
  // A line that was replaced goes when no call is left on it.
  std::erase_if(
      lines_, [this](const auto& line) { return line != lines_.back() && line.use_count() == 1; });
  const auto made = std::make_shared<Call<Request>>();
  auto* const call = made.get();
  call->request = request;
  call->context.set_deadline(absl::ToChronoTime(clock_.Now().wall + timeout));
  {
    absl::MutexLock lock(&mutex_);
    calls_.emplace(number, Running{.line = lines_.back(), .context = {made, &call->context}});
  }
  {
    absl::MutexLock lock(&pending_->mutex);
    ++pending_->count;
  }
  grpc::TemplatedGenericStub<Request, grpc::ByteBuffer>(lines_.back()->channel)
      .UnaryCall(&call->context, method, {}, &call->request, &call->response,
                 [this, call, number, pending = pending_](const grpc::Status& status) {
                   Running running;
                   {
                     absl::MutexLock lock(&mutex_);
                     running = std::move(calls_.extract(number).mapped());
                   }
                   answers_.Answered(this, number, ReadResponse<Response>(status, call->response));
                   // The context holds the channel, whose end waits for gRPC's threads: were it the
                   // last to hold it, this thread would wait for itself. So it goes before the
                   // line, which the service keeps for as long as others do, and before the signal.
                   running.context = nullptr;
                   running.line = nullptr;
                   // From here on the service may be gone.
                   absl::MutexLock lock(&pending->mutex);
                   if (--pending->count == 0) pending->none.Signal();
                 });
}

void DialledBackend::Cancel(uint64_t call) {
  std::shared_ptr<grpc::ClientContext> context;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = calls_.find(call);
    if (found == calls_.end()) return;
    context = found->second.context;
  }
  context->TryCancel();
}

}  // namespace wsrouter
