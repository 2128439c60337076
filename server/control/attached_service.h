#ifndef WSROUTER_CONTROL_ATTACHED_SERVICE_H_
#define WSROUTER_CONTROL_ATTACHED_SERVICE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "control/attach_stream.h"
#include "control/backend_service.h"
#include "core/ids.h"

namespace wsrouter {

// A service that attached: it is asked through the stream that it opened. The desk's thread.
class AttachedService final : public BackendService {
 public:
  // `number` tells it from the others for as long as the node lives.
  AttachedService(std::shared_ptr<AttachStream> stream, AttachTerms terms, uint32_t queue_max,
                  uint64_t number)
      : BackendService({.concurrency_max = terms.questions_max, .queue_max = queue_max}),
        stream_(std::move(stream)),
        prefix_(std::move(terms.prefix)),
        number_(number) {
    methods = terms.methods;
  }

  void Ask(uint64_t call, const BackendRequest& request, absl::Duration timeout) override;
  void Cancel(uint64_t call) override { stream_->Withdraw(call); }
  std::string Name() const override { return "attached " + prefix_; }

  const AttachStream* stream() const { return stream_.get(); }
  const std::string& prefix() const { return prefix_; }
  // Of those that share a path, the one with the highest weight is asked about a connection: when
  // one comes or goes, only the connections move that it gets or had.
  uint64_t WeightFor(const ConnectionId& connection) const;

 private:
  const std::shared_ptr<AttachStream> stream_;
  const std::string prefix_;
  const uint64_t number_;
};

// What an answer that came through a stream is, were it of a service that was dialled.
absl::StatusOr<BackendResponse> ReadAttachAnswer(v1::AttachAnswer answer);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_ATTACHED_SERVICE_H_
