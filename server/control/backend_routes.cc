#include "control/backend_routes.h"

#include <utility>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "control/backend_convert.h"
#include "core/close_code.h"

namespace wsrouter {
namespace {

// What waits to be looked at by the desk. Its gates bound what waits behind.
constexpr size_t kTasksMax = 65'536;
constexpr size_t kOctetsMax = size_t{64} << 20;  // of their questions
constexpr absl::Duration kBusyRetryAfter = absl::Seconds(2);

size_t OctetsOf(const BackendRequest& request) {
  return std::visit([](const auto& one) { return one.ByteSizeLong(); }, request);
}

}  // namespace

BackendRoutes::BackendRoutes(BackendOptions options, Counters& counters, const Clock& clock)
    : options_(std::move(options)), counters_(counters), clock_(clock), thread_(clock, kTasksMax) {}

absl::StatusOr<std::unique_ptr<BackendRoutes>> BackendRoutes::Create(BackendOptions options,
                                                                     Counters& counters,
                                                                     ControlMeasures& measures,
                                                                     const Clock& clock) {
  auto files = DialFiles::Open(options, clock);
  if (!files.ok()) return files.status();
  std::unique_ptr<BackendRoutes> made(new BackendRoutes(std::move(options), counters, clock));
  BackendAnswers& answers = *made;
  std::vector<BackendDesk::Route> routes;
  for (const BackendRoute& route : made->options_.routes) {
    routes.push_back(
        {.prefix = route.prefix, .service = nullptr, .rooms_prefix = route.rooms_prefix});
    if (route.target.empty()) continue;
    made->dialled_.push_back(std::make_shared<DialledBackend>(route.target, (*files)->first(),
                                                              made->options_, answers, clock));
    routes.back().service = made->dialled_.back();
  }
  made->desk_ = std::make_unique<BackendDesk>(BackendDesk::Parts{.options = made->options_,
                                                                 .thread = made->thread_,
                                                                 .paths = made->paths_,
                                                                 .counters = counters,
                                                                 .measures = measures,
                                                                 .clock = clock},
                                              std::move(routes));
  made->files_ = *std::move(files);
  made->files_->OnChange([raw = made.get()](const DialFiles::Credentials& credentials) {
    raw->thread_.PostAnswer([raw, credentials] {
      for (const auto& service : raw->dialled_) service->Dial(credentials);
    });
  });
  made->files_->Watch();
  return made;
}

BackendRoutes::~BackendRoutes() { Stop(absl::ZeroDuration()); }

bool BackendRoutes::Hears(std::string_view path) const {
  return paths_.Hears(path, clock_.Now().uptime);
}

bool BackendRoutes::ChecksJoins(std::string_view path) const {
  return paths_.Hears(path, clock_.Now().uptime, BackendMethod::kJoinCheck);
}

bool BackendRoutes::Ask(const std::shared_ptr<std::unique_ptr<BackendQuestion>>& question) {
  if (stopped_) return false;
  const size_t octets = (*question)->octets = OctetsOf((*question)->request);
  // One that is larger than all that may be is let in alone.
  const size_t before = octets_.fetch_add(octets);
  const bool taken =
      (before == 0 || before + octets <= kOctetsMax) && thread_.Post([this, question, octets] {
        octets_ -= octets;
        desk_->Ask(std::move(*question));
      });
  if (!taken) octets_ -= octets;
  return taken;
}

Backend::Ticket BackendRoutes::Connect(ConnectQuestion question,
                                       absl::AnyInvocable<void(ConnectAnswer) &&> done) {
  auto asked = std::make_unique<BackendQuestion>();
  const Ticket ticket = asked->ticket = ++last_ticket_;
  asked->connection = question.connection;
  asked->path = question.handshake->path;
  asked->request = ToRequest(question);
  question.token.clear();  // a secret that nobody needs any more
  asked->waiter = BackendQuestion::Connecting{std::move(question), std::move(done)};
  const auto handed = std::make_shared<std::unique_ptr<BackendQuestion>>(std::move(asked));
  if (Ask(handed)) return ticket;
  auto& waiter = std::get<BackendQuestion::Connecting>((*handed)->waiter);
  if (stopped_) {
    const auto restart = static_cast<uint16_t>(CloseCode::kServiceRestart);
    std::move(waiter.done)(Denial{.close = {restart, "the node stops"}, .retry_after = {}});
    return ticket;
  }
  counters_.Add(Counter::kBackendFailures);
  std::move(waiter.done)(AnswerForService(waiter.question, Unasked("FULL", "too much waits"),
                                          options_.connect_outage, kBusyRetryAfter));
  return ticket;
}

Backend::Ticket BackendRoutes::Message(MessageQuestion question,
                                       absl::AnyInvocable<void(MessageAnswer) &&> done) {
  auto asked = std::make_unique<BackendQuestion>();
  const Ticket ticket = asked->ticket = ++last_ticket_;
  asked->connection = question.connection;
  asked->path = question.handshake->path;
  asked->request = ToRequest(question);
  asked->waiter = BackendQuestion::Speaking{std::move(done)};
  const auto handed = std::make_shared<std::unique_ptr<BackendQuestion>>(std::move(asked));
  if (Ask(handed)) return ticket;
  auto& waiter = std::get<BackendQuestion::Speaking>((*handed)->waiter);
  counters_.Add(Counter::kBackendFailures);
  std::move(waiter.done)(AnswerForService((*handed)->connection, options_.message_outage));
  return ticket;
}

Backend::Ticket BackendRoutes::JoinCheck(JoinQuestion question,
                                         absl::AnyInvocable<void(absl::Status) &&> done) {
  auto asked = std::make_unique<BackendQuestion>();
  const Ticket ticket = asked->ticket = ++last_ticket_;
  asked->connection = question.connection;
  asked->path = question.handshake->path;
  asked->request = ToRequest(question);
  asked->waiter = BackendQuestion::Joining{std::move(done)};
  const auto handed = std::make_shared<std::unique_ptr<BackendQuestion>>(std::move(asked));
  if (Ask(handed)) return ticket;
  auto& waiter = std::get<BackendQuestion::Joining>((*handed)->waiter);
  counters_.Add(Counter::kBackendFailures);
  std::move(waiter.done)(JoinForService(Unasked("FULL", "too much waits")));
  return ticket;
}

void BackendRoutes::Disconnected(const Event& event, const Handshake& handshake) {
  auto asked = std::make_unique<BackendQuestion>();
  asked->ticket = ++last_ticket_;
  asked->connection = event.connection;
  asked->path = handshake.path;
  asked->request = ToRequest(event, handshake);
  asked->waiter = BackendQuestion::Ending{};
  const auto handed = std::make_shared<std::unique_ptr<BackendQuestion>>(std::move(asked));
  if (!Ask(handed)) counters_.Add(Counter::kBackendEndsLost);
}

void BackendRoutes::Cancel(Ticket ticket) {
  thread_.PostAnswer([this, ticket] { desk_->Cancel(ticket); });
}

void BackendRoutes::Answered(const BackendService* service, uint64_t call,
                             absl::StatusOr<BackendResponse> answer) {
  thread_.PostAnswer([this, service, call, answer = std::move(answer)]() mutable {
    desk_->Answered(service, call, std::move(answer));
  });
}

void BackendRoutes::Attach(std::shared_ptr<AttachStream> stream, AttachTerms terms) {
  thread_.PostAnswer([this, stream = std::move(stream), terms = std::move(terms)]() mutable {
    desk_->Attach(stream, std::move(terms));
    stream->ReadOn();
  });
}

void BackendRoutes::Answer(std::shared_ptr<AttachStream> stream, v1::AttachAnswer answer) {
  thread_.PostAnswer([this, stream = std::move(stream), answer = std::move(answer)]() mutable {
    desk_->AttachAnswered(*stream, std::move(answer));
    stream->ReadOn();
  });
}

void BackendRoutes::Detach(AttachStream& stream, const absl::Status& why) {
  thread_.PostAnswer([this, gone = &stream, why] { desk_->Detach(gone, why); });
}

void BackendRoutes::Stop(absl::Duration grace) {
  if (stopped_.exchange(true)) return;
  struct Rest {
    absl::Mutex mutex;
    absl::CondVar changed;
    bool idle ABSL_GUARDED_BY(mutex) = false;
  };
  const auto rest = std::make_shared<Rest>();
  thread_.PostAnswer([this, rest] {
    desk_->WhenIdle([rest] {
      absl::MutexLock lock(&rest->mutex);
      rest->idle = true;
      rest->changed.Signal();
    });
  });
  const absl::Duration end = clock_.Now().uptime + grace;
  {
    absl::MutexLock lock(&rest->mutex);
    while (!rest->idle && clock_.Now().uptime < end) {
      rest->changed.WaitWithTimeout(&rest->mutex, end - clock_.Now().uptime);
    }
  }
  thread_.End();
  desk_->Abandon();
}

}  // namespace wsrouter
