#ifndef WSROUTER_CONTROL_BACKEND_QUESTION_H_
#define WSROUTER_CONTROL_BACKEND_QUESTION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "control/backend_options.h"
#include "control/backend_service.h"
#include "control/timed_thread.h"
#include "core/backend.h"

namespace wsrouter {

// A question on its way: what is asked, who waits for the answer, and how far it has come.
struct BackendQuestion {
  struct Connecting {
    ConnectQuestion question;
    absl::AnyInvocable<void(ConnectAnswer) &&> done;
  };
  struct Speaking {
    absl::AnyInvocable<void(MessageAnswer) &&> done;
  };
  struct Joining {
    absl::AnyInvocable<void(absl::Status) &&> done;
  };
  struct Ending {};  // nobody waits

  Backend::Ticket ticket = 0;
  ConnectionId connection;
  std::string path;
  BackendRequest request;
  size_t octets = 0;  // of the request
  std::variant<Connecting, Speaking, Joining, Ending> waiter;

  // The desk's.
  std::optional<absl::Duration> begun;  // this attempt, whose end has not been measured
  absl::Duration deadline;              // of this attempt
  absl::Duration give_up;               // no attempt goes beyond
  uint32_t attempts = 0;                // that failed
  bool held = false;                    // between two attempts
  TimedThread::Timer timer;
  uint64_t call = 0;                        // the number by which `service` knows it
  std::shared_ptr<BackendService> service;  // null: nobody has it
  bool running = false;                     // the service was asked, and not only its gate
};

// A connection that is let in though nobody was asked: as whom its token has proved.
Admission AdmitUnasked(const ConnectQuestion& question);

// Why a question has no answer that counts. What the node found has a reason beside it
// (core/error.h); what a service answered, or gRPC for it, has none, and its text may hold parts of
// the question.
absl::Status Unasked(std::string_view reason, std::string_view message);  // UNAVAILABLE
absl::Status UnreadableAnswer();  // what came as an answer is none
bool IsOurs(const absl::Status& failure);
// Nobody could be asked or nobody answered; other failures are answers.
bool IsOutage(const absl::Status& failure);
// A method that answers so exists: gRPC says no such thing of itself.
bool IsOfTheMethod(const absl::Status& status);

// What is answered in a service's place. Of an outage the policies say it; any other failure
// refuses who wants to be let in, whatever the policy is.
ConnectAnswer AnswerForService(const ConnectQuestion& question, const absl::Status& failure,
                               ConnectOutage outage, absl::Duration retry_after);
Effects AnswerForService(const ConnectionId& connection, MessageOutage outage);
// Whether a client may join a room, of which no service said that it may.
absl::Status JoinForbidden(std::string_view why);
absl::Status JoinForService(const absl::Status& failure);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_BACKEND_QUESTION_H_
