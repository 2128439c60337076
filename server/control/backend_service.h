#ifndef WSROUTER_CONTROL_BACKEND_SERVICE_H_
#define WSROUTER_CONTROL_BACKEND_SERVICE_H_

#include <array>
#include <cstdint>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "control/backend_options.h"
#include "control/call_gate.h"
#include "wsrouter/v1/backend.pb.h"

namespace wsrouter {

using BackendRequest = std::variant<v1::ConnectRequest, v1::MessageRequest, v1::DisconnectedRequest,
                                    v1::JoinCheckRequest>;
using BackendResponse = std::variant<v1::ConnectResponse, v1::MessageResponse,
                                     v1::DisconnectedResponse, v1::JoinCheckResponse>;

inline BackendMethod MethodOf(const BackendRequest& request) {
  return static_cast<BackendMethod>(request.index());
}

// Somebody who answers questions, with the gate before it. The desk's thread.
class BackendService {
 public:
  explicit BackendService(const CallGate::Options& gate) : gate(gate) {}
  virtual ~BackendService() = default;
  BackendService(const BackendService&) = delete;

  // Starts to ask; does not block. Whatever comes of it is told to the desk, once, later.
  virtual void Ask(uint64_t call, const BackendRequest& request, absl::Duration timeout) = 0;
  // Nobody waits for the answer any more: nothing needs to be told.
  virtual void Cancel(uint64_t call) = 0;
  // For the log.
  virtual std::string Name() const = 0;

  bool Answers(BackendMethod method, absl::Duration now) const {
    const auto index = static_cast<size_t>(method);
    return methods.test(index) && now >= unimplemented_until[index];
  }

  CallGate gate;
  BackendMethodSet methods;
  BackendMethodSet implemented;  // those that it has answered
  std::array<absl::Duration, kBackendMethods> unimplemented_until{};
};

// Where answers are handed in. Any thread.
class BackendAnswers {
 public:
  virtual ~BackendAnswers() = default;
  // `service` is compared with whom the call was given to, and not looked into.
  virtual void Answered(const BackendService* service, uint64_t call,
                        absl::StatusOr<BackendResponse> answer) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_BACKEND_SERVICE_H_
