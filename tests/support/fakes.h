#ifndef WSROUTER_TESTS_SUPPORT_FAKES_H_
#define WSROUTER_TESTS_SUPPORT_FAKES_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/broker.h"
#include "core/event.h"
#include "core/interest.h"
#include "core/shard.h"

namespace wsrouter {

// Both kinds of time move only when a test moves them. The wall can be set by itself.
class ManualClock final : public Clock {
 public:
  Instant Now() const override { return now; }
  void Advance(absl::Duration by) {
    now.wall += by;
    now.uptime += by;
  }

  Instant now = {.wall = absl::FromUnixSeconds(1'700'000'000), .uptime = absl::Hours(1)};
};

// A thread's queue of tasks that runs when the test says so.
class ManualTasks {
 public:
  PostTask Post();
  // Also what the tasks post. Returns how many ran.
  size_t RunAll();
  size_t size() const { return tasks_.size(); }

 private:
  std::deque<absl::AnyInvocable<void() &&>> tasks_;
};

class RecordingEvents final : public EventSink {
 public:
  bool Wants(size_t kind) const override { return wanted.test(kind); }
  void Emit(Event event) override { events.push_back(std::move(event)); }
  void EmitTo(uint64_t watcher, Event event) override {
    to_watchers.emplace_back(watcher, std::move(event));
  }

  // The details of one kind, oldest first.
  template <typename Detail>
  std::vector<Detail> Of() const {
    std::vector<Detail> found;
    for (const Event& event : events) {
      if (const auto* detail = std::get_if<Detail>(&event.detail)) found.push_back(*detail);
    }
    return found;
  }

  EventKinds wanted = EventKinds().set();
  std::vector<Event> events;
  std::vector<std::pair<uint64_t, Event>> to_watchers;
};

struct FakeConnection final : Connection {
  uint16_t shard = 0;
  bool wants_write = false;
  int rearms = 0;
  int admitted = 0;
  bool paused = false;
  std::optional<CloseWith> closed;  // by the shard
  std::optional<CloseWith> parted;  // likewise, while it was parked
};

// A transport whose sockets take nothing until the test reads them.
class RecordingTransport final : public Transport {
 public:
  void WantWrite(Connection& connection) override;
  void Close(Connection& connection, CloseWith close) override;
  void Rearm(Connection& connection) override;
  void Admitted(Connection& connection) override;
  void Pause(Connection& connection) override;
  void PauseAndWatch(Connection& connection) override { Pause(connection); }
  void Resume(Connection& connection) override;
};

// A shard's mailbox, emptied when the test says so.
class HeldMailbox final : public Subscriber {
 public:
  void Take(std::shared_ptr<const Envelope> envelope, ReceiptPart part) override;
  // Hands the envelopes that wait to `shard`. Returns how many.
  size_t DeliverTo(Shard& shard);

  size_t capacity = SIZE_MAX;

 private:
  std::vector<Shard::Letter> waiting_;
};

// A broker that can refuse subscriptions, or keep their answers back.
class HesitantBroker final : public Broker {
 public:
  explicit HesitantBroker(Broker& broker) : broker_(broker) {}

  void Publish(Envelope envelope, ReceiptSum::Done done) override;
  void Subscribe(Subscriber& subscriber, const Topic& topic,
                 absl::AnyInvocable<void(absl::Status) &&> done) override;
  void Unsubscribe(Subscriber& subscriber, const Topic& topic) override;

  // Gives the answers that were kept back.
  void LetThrough();

  bool refuses = false;
  bool keeps_back = false;
  int subscribes = 0;

 private:
  Broker& broker_;
  std::vector<absl::AnyInvocable<void() &&>> kept_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_FAKES_H_
