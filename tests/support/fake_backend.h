#ifndef WSROUTER_TESTS_SUPPORT_FAKE_BACKEND_H_
#define WSROUTER_TESTS_SUPPORT_FAKE_BACKEND_H_

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "core/backend.h"
#include "core/path.h"
#include "gtest/gtest.h"

namespace wsrouter {

// A service that a test plays: it sees the questions and gives the answers. Any thread.
class FakeBackend final : public Backend {
 public:
  template <typename Question, typename Answer>
  struct Asked {
    Ticket ticket = 0;
    Question question;
    absl::AnyInvocable<void(Answer) &&> answer;
  };
  using Connecting = Asked<ConnectQuestion, ConnectAnswer>;
  using Speaking = Asked<MessageQuestion, MessageAnswer>;
  using Joining = Asked<JoinQuestion, absl::Status>;
  struct End {
    Event event;
    std::string path;
  };

  bool Decides(std::string_view path) const override { return IsBelow(path, "/ws"); }
  bool Hears(std::string_view path) const override { return Decides(path); }

  Ticket Connect(ConnectQuestion question,
                 absl::AnyInvocable<void(ConnectAnswer) &&> done) override {
    absl::MutexLock lock(&mutex_);
    connects_.push_back({++last_ticket_, std::move(question), std::move(done)});
    changed_.SignalAll();
    return last_ticket_;
  }
  Ticket Message(MessageQuestion question,
                 absl::AnyInvocable<void(MessageAnswer) &&> done) override {
    absl::MutexLock lock(&mutex_);
    messages_.push_back({++last_ticket_, std::move(question), std::move(done)});
    changed_.SignalAll();
    return last_ticket_;
  }
  bool ChecksJoins(std::string_view path) const override { return Decides(path); }
  Ticket JoinCheck(JoinQuestion question, absl::AnyInvocable<void(absl::Status) &&> done) override {
    absl::MutexLock lock(&mutex_);
    joins_.push_back({++last_ticket_, std::move(question), std::move(done)});
    changed_.SignalAll();
    return last_ticket_;
  }
  void Cancel(Ticket ticket) override {
    absl::MutexLock lock(&mutex_);
    cancelled_.push_back(ticket);
    changed_.SignalAll();
  }
  void Disconnected(const Event& event, const Handshake& handshake) override {
    absl::MutexLock lock(&mutex_);
    ends_.push_back({event, handshake.path});
    changed_.SignalAll();
  }

  // The oldest that has not been taken yet; waits for it.
  Connecting AwaitConnect() { return Await(connects_); }
  Speaking AwaitMessage() { return Await(messages_); }
  Joining AwaitJoin() { return Await(joins_); }
  End AwaitEnd() { return Await(ends_); }
  Ticket AwaitCancel() { return Await(cancelled_); }

  // That have not been taken yet.
  size_t ends() const {
    absl::MutexLock lock(&mutex_);
    return ends_.size();
  }
  size_t cancelled() const {
    absl::MutexLock lock(&mutex_);
    return cancelled_.size();
  }
  size_t waiting() const {
    absl::MutexLock lock(&mutex_);
    return connects_.size() + messages_.size() + joins_.size() + ends_.size();
  }

 private:
  template <typename Thing>
  Thing Await(std::deque<Thing>& things) {
    absl::MutexLock lock(&mutex_);
    while (things.empty()) {
      if (!changed_.WaitWithTimeout(&mutex_, absl::Seconds(20)) || !things.empty()) continue;
      ADD_FAILURE() << "waited in vain";
      return {};
    }
    Thing thing = std::move(things.front());
    things.pop_front();
    return thing;
  }

  mutable absl::Mutex mutex_;
  absl::CondVar changed_;
  Ticket last_ticket_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Connecting> connects_;  // all: mutex_
  std::deque<Speaking> messages_;
  std::deque<Joining> joins_;
  std::deque<Ticket> cancelled_;
  std::deque<End> ends_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_FAKE_BACKEND_H_
