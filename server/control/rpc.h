#ifndef WSROUTER_CONTROL_RPC_H_
#define WSROUTER_CONTROL_RPC_H_

#include <functional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "control/access_check.h"
#include "control/answer.h"
#include "control/errors.h"
#include "control/event_stream.h"
#include "fmt/format.h"
#include "google/protobuf/message.h"
#include "grpcpp/impl/codegen/server_callback_handlers.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/server_callback.h"

namespace wsrouter {

// Requests come as octets and are parsed here: left to gRPC, a request that cannot be parsed, for
// example for a string that is not UTF-8, would end in UNIMPLEMENTED without a word.
absl::Status ParseRequest(const grpc::ByteBuffer& octets, google::protobuf::Message& request);

grpc::ByteBuffer SerializeResponse(const google::protobuf::Message& response);

// A call that ends at once, since it is refused.
inline grpc::ServerUnaryReactor* RefusedCall(grpc::CallbackServerContext* context,
                                             const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

// One unary RPC: parsed, handed to `call` of `calls`, finished by its answer.
template <typename Request, typename Response, typename Calls>
grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* context,
                                const grpc::ByteBuffer* octets, grpc::ByteBuffer* response,
                                Calls& calls,
                                void (Calls::*call)(const Request&, Answer<Response>)) {
  Request request;
  if (const absl::Status parsed = ParseRequest(*octets, request); !parsed.ok()) {
    return RefusedCall(context, parsed);
  }
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  (calls.*call)(request, [reactor, response](absl::StatusOr<Response> answer) {
    if (answer.ok()) *response = SerializeResponse(*answer);
    reactor->Finish(ToGrpc(answer.status()));
  });
  return reactor;
}

// The place of a method in its service, as generated code counts.
int MethodIndex(const char* service, const char* method);

// A generated service (wsrouter.v1.Router, ...) whose methods are bound one by one to functions
// that take octets, and are called when the caller may call. Every method has to be bound before
// the server is built.
template <typename Generated>
class RawService : public Generated::Service {
 protected:
  explicit RawService(AccessCheck& access) : access_(access) {}

  template <typename Request, typename Response, typename Calls>
  void Bind(const char* method, Calls& calls,
            void (Calls::*call)(const Request&, Answer<Response>)) {
    using Handler = grpc::internal::CallbackUnaryHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
    this->MarkMethodRawCallback(
        MethodIndex(Generated::service_full_name(), method),
        new Handler([&calls, call, admit = Guard(method)](grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request,
                                                          grpc::ByteBuffer* response) {
          const absl::Status admitted = admit(*context, request);
          if (!admitted.ok()) return RefusedCall(context, admitted);
          return Serve(context, request, response, calls, call);
        }));
  }

  using Open = std::function<grpc::ServerWriteReactor<grpc::ByteBuffer>*(
      grpc::CallbackServerContext*, const grpc::ByteBuffer*)>;
  void BindStream(const char* method, Open open) {
    using Handler =
        grpc::internal::CallbackServerStreamingHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
    this->MarkMethodRawCallback(
        MethodIndex(Generated::service_full_name(), method),
        new Handler([open = std::move(open), admit = Guard(method)](
                        grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
          const absl::Status admitted = admit(*context, request);
          return admitted.ok() ? open(context, request) : RefusedStream(admitted);
        }));
  }

  using OpenBidi = std::function<grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>*(
      grpc::CallbackServerContext*)>;
  // `refuse` makes a stream that ends at once.
  template <typename Refuse>
  void BindBidi(const char* method, OpenBidi open, Refuse refuse) {
    using Handler = grpc::internal::CallbackBidiHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
    this->MarkMethodRawCallback(MethodIndex(Generated::service_full_name(), method),
                                new Handler([open = std::move(open), refuse, admit = Guard(method)](
                                                grpc::CallbackServerContext* context) {
                                  const absl::Status admitted = admit(*context, nullptr);
                                  return admitted.ok() ? open(context) : refuse(admitted);
                                }));
  }

  // What the handler of a method has to call first.
  AccessCheck::Guarded Guard(const char* method) { return access_.Guard(PathOf(method)); }

  // What a stream has to call now and then.
  AccessCheck::Standing StandingOf(const grpc::CallbackServerContext& context,
                                   const char* method) const {
    return access_.StandingOf(context, PathOf(method));
  }

  // What a stream has to call before each part of it that stands for a call of its own.
  AccessCheck::Charge ChargeOf(const grpc::CallbackServerContext& context) {
    return access_.ChargeOf(context);
  }

 private:
  static std::string PathOf(const char* method) {
    return fmt::format("/{}/{}", Generated::service_full_name(), method);
  }

  AccessCheck& access_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_RPC_H_
