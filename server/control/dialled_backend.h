#ifndef WSROUTER_CONTROL_DIALLED_BACKEND_H_
#define WSROUTER_CONTROL_DIALLED_BACKEND_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "control/backend_options.h"
#include "control/backend_service.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/security/credentials.h"

namespace wsrouter {

// TLS as the options say, with the files as they are now. Fails with the key and the file.
absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> DialCredentials(
    const BackendOptions& options);

// A service that the node calls. Its replicas are called in turn, those that cannot be reached are
// left out.
class DialledBackend final : public BackendService {
 public:
  DialledBackend(std::string target, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                 const BackendOptions& options, BackendAnswers& answers, const Clock& clock);
  // Cancels what is under way and waits until gRPC has let go of it.
  ~DialledBackend() override;

  void Ask(uint64_t call, const BackendRequest& request, absl::Duration timeout) override;
  void Cancel(uint64_t call) override;
  std::string Name() const override { return target_; }

 private:
  // How many callbacks gRPC has yet to run. Shared with them.
  struct Pending {
    absl::Mutex mutex;
    absl::CondVar none;
    uint64_t count ABSL_GUARDED_BY(mutex) = 0;
  };
  template <typename Request>
  struct Call;
  template <typename Response, typename Request>
  void Start(uint64_t number, const Request& request, absl::Duration timeout, const char* method);

  const std::string target_;
  BackendAnswers& answers_;
  const Clock& clock_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::shared_ptr<Pending> pending_ = std::make_shared<Pending>();
  absl::Mutex mutex_;  // a call ends on gRPC's threads
  // Each with its request and response, which it owns.
  absl::flat_hash_map<uint64_t, std::shared_ptr<grpc::ClientContext>> calls_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_DIALLED_BACKEND_H_
