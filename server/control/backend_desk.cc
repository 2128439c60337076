#include "control/backend_desk.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/log.h"
#include "base/random.h"
#include "core/error.h"
#include "core/path.h"

namespace wsrouter {
namespace {

// How long a method that a service does not implement is not asked.
constexpr absl::Duration kUnimplementedFor = absl::Minutes(1);

absl::Status TooManyFailures() { return Unasked("PAUSED", "it failed too often just now"); }
absl::Status Late(std::string_view message) {
  return Refusal(absl::StatusCode::kDeadlineExceeded, "LATE", message);
}

}  // namespace

BackendDesk::BackendDesk(const Parts& parts, std::vector<Route> routes)
    : options_(parts.options),
      thread_(parts.thread),
      paths_(parts.paths),
      counters_(parts.counters),
      measures_(parts.measures),
      clock_(parts.clock),
      routes_(std::move(routes)),
      random_(static_cast<std::minstd_rand::result_type>(RandomSeed())) {
  TellPaths();
}

void BackendDesk::Ask(std::unique_ptr<BackendQuestion> question) {
  BackendQuestion& asked = *question;
  questions_.emplace(asked.ticket, std::move(question));
  MeasureLoad();
  if (NamesForeignRoom(asked)) return Finish(asked, JoinForbidden({}));
  const bool holds = std::holds_alternative<BackendQuestion::Connecting>(asked.waiter) &&
                     options_.connect_outage == ConnectOutage::kHold;
  asked.give_up = holds ? Now() + options_.hold_max : absl::InfiniteDuration();
  Begin(asked);
}

void BackendDesk::Begin(BackendQuestion& question) {
  const absl::Duration now = Now();
  question.begun = now;
  question.deadline = std::min(now + options_.timeout, question.give_up);
  question.timer = thread_.After(question.deadline - now,
                                 [this, ticket = question.ticket] { OnDeadline(ticket); });
  Place(question);
}

void BackendDesk::Place(BackendQuestion& question) {
  bool present = false;
  std::shared_ptr<BackendService> service = Pick(question, present);
  if (service == nullptr) {
    if (present) return AcceptUnasked(question);
    return Fail(question, Unasked("NOBODY", "no service is attached"), nullptr);
  }
  question.call = ++last_call_;
  question.service = service;
  calls_.emplace(question.call, &question);
  switch (service->gate.Enter(question.call, question.octets, question.deadline, Now())) {
    case CallGate::Verdict::kStart:
      return Start(question);
    case CallGate::Verdict::kWait:
      return;
    case CallGate::Verdict::kFull:
      return FailUnasked(question, Unasked("FULL", "too many questions wait (backend.queue_max)"));
    case CallGate::Verdict::kHeavy:
      return FailUnasked(question, Unasked("FULL", "too many octets wait or are under way"));
    default:
      return FailUnasked(question, TooManyFailures());
  }
}

void BackendDesk::FailUnasked(BackendQuestion& question, const absl::Status& status) {
  calls_.erase(question.call);
  const std::shared_ptr<BackendService> service = std::move(question.service);
  Fail(question, status, service.get());
}

const BackendDesk::Route* BackendDesk::RouteOf(std::string_view path) const {
  const Route* found = nullptr;
  for (const Route& route : routes_) {
    if (!IsBelow(path, route.prefix)) continue;
    if (found == nullptr || route.prefix.size() > found->prefix.size()) found = &route;
  }
  return found;
}

bool BackendDesk::NamesForeignRoom(const BackendQuestion& question) const {
  const auto* join = std::get_if<v1::JoinCheckRequest>(&question.request);
  const Route* route = RouteOf(question.path);
  return join != nullptr && route != nullptr && !join->room().starts_with(route->rooms_prefix);
}

std::shared_ptr<BackendService> BackendDesk::Pick(const BackendQuestion& question, bool& present) {
  const BackendMethod method = MethodOf(question.request);
  const absl::Duration now = Now();
  const bool wanted = options_.methods.test(static_cast<size_t>(method));
  const AttachedService* best = nullptr;
  std::shared_ptr<BackendService> picked;
  for (const auto& service : attached_) {
    if (!IsBelow(question.path, service->prefix())) continue;
    present = true;
    if (!wanted || !service->Answers(method, now)) continue;
    // One that failed too often just now leaves its connections to the others meanwhile.
    const auto rank = [&](const AttachedService& one) {
      return std::tuple(one.prefix().size(), !one.gate.Refuses(now),
                        one.WeightFor(question.connection));
    };
    if (best != nullptr && rank(*best) >= rank(*service)) continue;
    best = service.get();
    picked = service;
  }
  if (picked != nullptr) return picked;
  const Route* route = RouteOf(question.path);
  if (route == nullptr || route->service == nullptr) return nullptr;
  present = true;
  return route->service->Answers(method, now) ? route->service : nullptr;
}

void BackendDesk::Start(BackendQuestion& question) {
  question.running = true;
  ++running_;
  MeasureLoad();
  question.service->Ask(question.call, question.request, question.deadline - Now());
}

std::shared_ptr<BackendService> BackendDesk::TakeBack(BackendQuestion& question,
                                                      CallGate::Outcome outcome) {
  std::shared_ptr<BackendService> service = std::move(question.service);
  if (service == nullptr) return nullptr;
  calls_.erase(question.call);
  if (!std::exchange(question.running, false)) {
    service->gate.Withdraw(question.call);
    return service;
  }
  --running_;
  MeasureLoad();
  const bool paused = service->gate.paused();
  service->gate.Leave(question.call, outcome, Now());
  if (paused != service->gate.paused()) {
    Log(LogLevel::kWarning, paused ? "backend_back" : "backend_paused",
        {{"service", service->Name()}});
    MeasurePauses();
  }
  return service;
}

void BackendDesk::Pump(BackendService& service) {
  while (const auto turn = service.gate.Next(Now())) {
    BackendQuestion& question = *calls_.at(turn->call);
    if (turn->verdict == CallGate::Verdict::kStart) {
      Start(question);
      continue;
    }
    const bool late = turn->verdict == CallGate::Verdict::kLate;
    FailUnasked(question, late ? Late("it waited for its turn too long") : TooManyFailures());
  }
}

void BackendDesk::OnDeadline(Backend::Ticket ticket) {
  BackendQuestion& question = *questions_.at(ticket);
  if (question.running) question.service->Cancel(question.call);
  const auto service = TakeBack(question, CallGate::Outcome::kFailure);
  Fail(question, Late("it did not answer in time (backend.timeout)"), service.get());
  if (service != nullptr) Pump(*service);
}

void BackendDesk::Cancel(Backend::Ticket ticket) {
  const auto found = questions_.find(ticket);
  if (found == questions_.end()) return;
  BackendQuestion& question = *found->second;
  if (question.running) question.service->Cancel(question.call);
  const auto service = TakeBack(question, CallGate::Outcome::kWithdrawn);
  Measure(question, QuestionOutcome::kWithdrawn);
  Forget(question);
  if (service != nullptr) Pump(*service);
  CheckIdle();
}

void BackendDesk::Answered(const BackendService* service, uint64_t call,
                           absl::StatusOr<BackendResponse> answer) {
  const auto found = calls_.find(call);
  if (found == calls_.end()) return;
  BackendQuestion& question = *found->second;
  if (question.service.get() != service || !question.running) return;
  // Answers to single questions say nothing about the service as a whole: were they to count, a
  // client could shut all others out.
  const auto owner = TakeBack(question, IsOutage(answer.status()) ? CallGate::Outcome::kFailure
                                                                  : CallGate::Outcome::kSuccess);
  const BackendMethod method = MethodOf(question.request);
  if (IsOfTheMethod(answer.status())) OnImplemented(*owner, method);
  if (answer.ok()) {
    Accept(question, *answer, *owner);
  } else if (absl::IsUnimplemented(answer.status()) && BelievesUnimplemented(*owner, method)) {
    Place(question);
  } else {
    Fail(question, answer.status(), owner.get());
  }
  Pump(*owner);
}

void BackendDesk::OnImplemented(BackendService& service, BackendMethod method) {
  const auto index = static_cast<size_t>(method);
  if (service.implemented.test(index)) return;
  service.implemented.set(index);
  service.unimplemented_until[index] = absl::ZeroDuration();
  TellPaths();
}

// A Connect that is not asked lets in: the word of one replica, or of a proxy on the way, does not
// open the door for all. Nor does it make deaf a service that was heard to answer.
bool BackendDesk::BelievesUnimplemented(BackendService& service, BackendMethod method) {
  const auto index = static_cast<size_t>(method);
  if (method == BackendMethod::kConnect || service.implemented.test(index)) return false;
  Log(LogLevel::kInfo, "backend_unimplemented",
      {{"service", service.Name()}, {"method", kBackendMethodNames[index]}});
  service.unimplemented_until[index] = Now() + kUnimplementedFor;
  TellPaths();
  return true;
}

void BackendDesk::Attach(const std::shared_ptr<AttachStream>& stream, AttachTerms terms) {
  Log(LogLevel::kInfo, "backend_attached", {{"path", terms.prefix}});
  attached_.push_back(std::make_shared<AttachedService>(stream, std::move(terms),
                                                        options_.queue_max, ++last_attached_));
  TellPaths();
  v1::AttachResponse response;
  response.mutable_ready();
  stream->Send(0, response);
}

void BackendDesk::AttachAnswered(const AttachStream& stream, v1::AttachAnswer answer) {
  for (const auto& service : attached_) {
    if (service->stream() != &stream) continue;
    const auto kept = service;
    const uint64_t call = answer.question_id();
    return Answered(kept.get(), call, ReadAttachAnswer(std::move(answer)));
  }
}

void BackendDesk::Detach(const AttachStream* stream, const absl::Status& why) {
  const auto found = std::ranges::find_if(
      attached_, [stream](const auto& service) { return service->stream() == stream; });
  if (found == attached_.end()) return;
  const std::shared_ptr<AttachedService> gone = *found;
  attached_.erase(found);
  TellPaths();
  Log(LogLevel::kInfo, "backend_detached", {{"path", gone->prefix()}});
  std::vector<BackendQuestion*> left;
  for (const auto& [call, question] : calls_) {
    if (question->service == gone) left.push_back(question);
  }
  // As they came, whoever answers them now.
  std::ranges::sort(left, {}, &BackendQuestion::call);
  for (BackendQuestion* question : left) {
    const bool failed = question->running && !why.ok();
    TakeBack(*question, CallGate::Outcome::kWithdrawn);
    if (failed) {
      Fail(*question, why, gone.get());
    } else {
      Place(*question);
    }
  }
}

void BackendDesk::TellPaths() {
  std::vector<BackendPaths::Row> rows;
  for (const auto& service : attached_) {
    rows.push_back({.prefix = service->prefix(),
                    .methods = service->methods & options_.methods,
                    .unimplemented_until = service->unimplemented_until,
                    .attached = true});
  }
  for (const Route& route : routes_) {
    BackendPaths::Row row = {.prefix = route.prefix, .methods = options_.methods};
    row.dialled = route.service != nullptr;
    if (row.dialled) row.unimplemented_until = route.service->unimplemented_until;
    rows.push_back(std::move(row));
  }
  paths_.Set(std::move(rows));
  measures_.services_attached = attached_.size();
  MeasurePauses();
}

}  // namespace wsrouter
