#ifndef WSROUTER_CONTROL_DIALLED_BACKEND_H_
#define WSROUTER_CONTROL_DIALLED_BACKEND_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "base/clock.h"
#include "control/backend_options.h"
#include "control/backend_service.h"
#include "grpcpp/channel.h"
#include "grpcpp/client_context.h"
#include "grpcpp/security/credentials.h"

namespace wsrouter {

// A service that the node calls. Its replicas are called in turn, those that cannot be reached are
// left out.
class DialledBackend final : public BackendService {
 public:
  // `options` outlives the service.
  DialledBackend(std::string target, const std::shared_ptr<grpc::ChannelCredentials>& credentials,
                 const BackendOptions& options, BackendAnswers& answers, const Clock& clock);
  // Cancels what is under way and waits until gRPC has let go of it.
  ~DialledBackend() override;

  // Calls that begin from now on use these credentials; those under way end as they began. The
  // desk's thread.
  void Dial(const std::shared_ptr<grpc::ChannelCredentials>& credentials);
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
  struct Line {
    std::shared_ptr<grpc::Channel> channel;
  };
  struct Running {
    std::shared_ptr<const Line> line;
    std::shared_ptr<grpc::ClientContext> context;  // with the request and response, which it owns
  };
  template <typename Request>
  struct Call;
  template <typename Response, typename Request>
  void Start(uint64_t number, const Request& request, absl::Duration timeout, const char* method);

  const std::string target_;
  BackendAnswers& answers_;
  const Clock& clock_;
  const BackendOptions& options_;
  std::vector<std::shared_ptr<const Line>> lines_;  // the last is dialled; of the desk's thread
  const std::shared_ptr<Pending> pending_ = std::make_shared<Pending>();
  absl::Mutex mutex_;  // a call ends on gRPC's threads
  absl::flat_hash_map<uint64_t, Running> calls_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_DIALLED_BACKEND_H_
