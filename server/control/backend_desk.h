#ifndef WSROUTER_CONTROL_BACKEND_DESK_H_
#define WSROUTER_CONTROL_BACKEND_DESK_H_

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "control/attached_service.h"
#include "control/backend_options.h"
#include "control/backend_paths.h"
#include "control/backend_question.h"
#include "control/backend_service.h"
#include "control/timed_thread.h"
#include "core/control_measures.h"
#include "core/counters.h"

namespace wsrouter {

// Where questions wait and are handed to services: attached ones first, then the one that the
// route dials. It answers for a service that does not.
//
// All of it happens on one thread, so that an answer, a deadline and a client that gives up come
// one behind the other; a question is known by its ticket and is gone when it is answered.
class BackendDesk {
 public:
  struct Parts {
    const BackendOptions& options;
    TimedThread& thread;
    BackendPaths& paths;
    Counters& counters;
    ControlMeasures& measures;
    const Clock& clock;
  };
  struct Route {
    std::string prefix;
    std::shared_ptr<BackendService> service;  // null: services attach
    std::string rooms_prefix = {};            // of the rooms that answers may name
  };

  BackendDesk(const Parts& parts, std::vector<Route> routes);
  BackendDesk(const BackendDesk&) = delete;

  void Ask(std::unique_ptr<BackendQuestion> question);
  void Cancel(Backend::Ticket ticket);
  void Answered(const BackendService* service, uint64_t call,
                absl::StatusOr<BackendResponse> answer);
  void Attach(const std::shared_ptr<AttachStream>& stream, AttachTerms terms);
  void AttachAnswered(const AttachStream& stream, v1::AttachAnswer answer);
  // The questions that the service had go to others; where it speaks nonsense (`why`), what was
  // asked of it has failed.
  void Detach(const AttachStream* stream, const absl::Status& why);
  // Calls `idle` when nothing waits any more; one at a time.
  void WhenIdle(absl::AnyInvocable<void() &&> idle);
  // Counts what is left as lost. Behind the end of the thread.
  void Abandon();

 private:
  absl::Duration Now() const { return clock_.Now().uptime; }

  // One attempt: with a deadline, given to whoever answers such questions.
  void Begin(BackendQuestion& question);
  void Place(BackendQuestion& question);
  // Null where nobody does; `present` where somebody is there, but does not answer this method.
  std::shared_ptr<BackendService> Pick(const BackendQuestion& question, bool& present);
  const Route* RouteOf(std::string_view path) const;
  // A client asks for a room about which its route's services have no say.
  bool NamesForeignRoom(const BackendQuestion& question) const;
  void Start(BackendQuestion& question);
  // Takes the question back from its service, which may then be asked others (Pump).
  std::shared_ptr<BackendService> TakeBack(BackendQuestion& question, CallGate::Outcome outcome);
  void Pump(BackendService& service);
  void OnDeadline(Backend::Ticket ticket);
  void OnImplemented(BackendService& service, BackendMethod method);
  // Whether the service is believed that it does not implement the method, for a while.
  bool BelievesUnimplemented(BackendService& service, BackendMethod method);
  void TellPaths();
  // How an attempt ended; the first word about it counts.
  void Measure(BackendQuestion& question, QuestionOutcome outcome);
  void MeasureLoad();
  void MeasurePauses();

  // How a question ends.
  void Accept(BackendQuestion& question, BackendResponse& response, const BackendService& service);
  void AcceptUnasked(BackendQuestion& question);
  // `service` had the question; null: nobody.
  void Fail(BackendQuestion& question, const absl::Status& status, const BackendService* service);
  // The gate did not let the question through.
  void FailUnasked(BackendQuestion& question, const absl::Status& status);
  // Whether the question is asked once more, later.
  bool AskAgain(BackendQuestion& question, const absl::Status& status);
  void Finish(BackendQuestion& question, ConnectAnswer answer);
  void Finish(BackendQuestion& question, MessageAnswer answer);
  void Finish(BackendQuestion& question, absl::Status join);
  std::unique_ptr<BackendQuestion> Forget(BackendQuestion& question);
  void CheckIdle();

  void LogFailure(const BackendQuestion& question, const absl::Status& status,
                  const BackendService* service);
  absl::Duration Backoff(uint32_t attempts);
  absl::Duration RetryAfter(const BackendService* service);

  const BackendOptions& options_;
  TimedThread& thread_;
  BackendPaths& paths_;
  Counters& counters_;
  ControlMeasures& measures_;
  const Clock& clock_;
  const std::vector<Route> routes_;
  std::vector<std::shared_ptr<AttachedService>> attached_;
  uint64_t last_attached_ = 0;
  absl::flat_hash_map<Backend::Ticket, std::unique_ptr<BackendQuestion>> questions_;
  absl::flat_hash_map<uint64_t, BackendQuestion*> calls_;  // what services and gates know
  uint64_t last_call_ = 0;
  size_t running_ = 0;  // questions that a service has
  size_t held_ = 0;     // questions between two attempts
  absl::AnyInvocable<void() &&> idle_;
  std::minstd_rand random_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_BACKEND_DESK_H_
