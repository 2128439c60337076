#ifndef WSROUTER_CONTROL_BACKEND_ROUTES_H_
#define WSROUTER_CONTROL_BACKEND_ROUTES_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "control/attach_stream.h"
#include "control/backend_desk.h"
#include "control/backend_options.h"
#include "control/backend_paths.h"
#include "control/backend_service.h"
#include "control/dial_files.h"
#include "control/dialled_backend.h"
#include "control/timed_thread.h"
#include "core/backend.h"
#include "core/control_measures.h"
#include "core/counters.h"

namespace wsrouter {

// The core's Backend over gRPC: services that attached, and those that the configuration names.
// Shards hand their questions to a thread and go on; gRPC's threads hand it the answers.
class BackendRoutes final : public Backend, public AttachDesk, private BackendAnswers {
 public:
  // Dials nobody before somebody is asked. Fails with the key and the file where TLS cannot be had.
  static absl::StatusOr<std::unique_ptr<BackendRoutes>> Create(BackendOptions options,
                                                               Counters& counters,
                                                               ControlMeasures& measures,
                                                               const Clock& clock);
  // Behind the end of whoever asks, and of the streams.
  ~BackendRoutes() override;

  bool Decides(std::string_view path) const override { return paths_.Decides(path); }
  bool Hears(std::string_view path) const override;
  Ticket Connect(ConnectQuestion question,
                 absl::AnyInvocable<void(ConnectAnswer) &&> done) override;
  Ticket Message(MessageQuestion question,
                 absl::AnyInvocable<void(MessageAnswer) &&> done) override;
  bool ChecksJoins(std::string_view path) const override;
  Ticket JoinCheck(JoinQuestion question, absl::AnyInvocable<void(absl::Status) &&> done) override;
  void Cancel(Ticket ticket) override;
  void Disconnected(const Event& event, const Handshake& handshake) override;

  void Attach(std::shared_ptr<AttachStream> stream, AttachTerms terms) override;
  void Answer(std::shared_ptr<AttachStream> stream, v1::AttachAnswer answer) override;
  void Detach(AttachStream& stream, const absl::Status& why) override;

  // Waits until all that was asked is answered, the ends of connections above all, `grace` at most;
  // drops the rest and refuses what comes later. May be repeated; one thread.
  void Stop(absl::Duration grace);

 private:
  BackendRoutes(BackendOptions options, Counters& counters, const Clock& clock);

  void Answered(const BackendService* service, uint64_t call,
                absl::StatusOr<BackendResponse> answer) override;
  // False when the question was not taken: it is still there.
  bool Ask(const std::shared_ptr<std::unique_ptr<BackendQuestion>>& question);

  const BackendOptions options_;
  Counters& counters_;
  const Clock& clock_;
  BackendPaths paths_;
  std::atomic<Ticket> last_ticket_ = 0;
  std::atomic<bool> stopped_ = false;
  std::atomic<size_t> octets_ = 0;  // of the questions that the desk has not looked at
  TimedThread thread_;
  // These two are the thread's, and end before it: services wait for gRPC.
  std::unique_ptr<BackendDesk> desk_;
  std::vector<std::shared_ptr<DialledBackend>> dialled_;
  std::unique_ptr<DialFiles> files_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_BACKEND_ROUTES_H_
