#ifndef WSROUTER_CONTROL_EVENT_HUB_H_
#define WSROUTER_CONTROL_EVENT_HUB_H_

#include <atomic>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "control/stream_queue.h"
#include "core/counters.h"
#include "core/event.h"

namespace wsrouter {

// Which events a watcher wants. An event must pass all three; without rooms or clients those of
// all pass.
struct EventFilter {
  EventKinds kinds;
  absl::flat_hash_set<RoomName> rooms;
  absl::flat_hash_set<ClientId> clients;

  bool Passes(const Event& event) const;
};

// Carries events from the shards to those who watch, each with a filter and a bounded queue of its
// own. A watcher that is too slow loses events, is told how many, and costs nobody else anything.
//
// Any thread. The lock is held for the copy of one pointer only; queues have their own.
class EventHub final : public EventSink {
 public:
  // The end of what AnnouncePending asked for.
  struct Ready {
    uint64_t pending = 0;  // events that came by EmitTo before
  };
  using Item = std::variant<std::shared_ptr<const Event>, Ready>;

  // One who watches. `wake` runs on the thread that emits, when something waits again after
  // nothing did; it must not block. It may run once more after Remove.
  class Watcher {
   public:
    Watcher(uint64_t id, EventFilter filter, StreamQueueLimits limits,
            absl::AnyInvocable<void() const> wake)
        : id_(id), filter_(std::move(filter)), wake_(std::move(wake)), queue_(limits) {}

    uint64_t id() const { return id_; }
    std::optional<StreamQueue<Item>::Taken> Take() { return queue_.Take(); }

   private:
    friend class EventHub;

    const uint64_t id_;
    const EventFilter filter_;
    const absl::AnyInvocable<void() const> wake_;
    std::atomic<uint64_t> pending_{0};
    StreamQueue<Item> queue_;
  };

  explicit EventHub(Counters& counters) : counters_(counters) {}

  // A watcher whom nothing reaches yet.
  std::shared_ptr<Watcher> Make(EventFilter filter, StreamQueueLimits limits,
                                absl::AnyInvocable<void() const> wake);
  // Events that are emitted from now on reach the watcher.
  void Add(std::shared_ptr<Watcher> watcher);
  void Remove(uint64_t watcher);

  // Tells the watcher that all it had to be shown from before has been emitted.
  void EmitReady(uint64_t watcher);

  bool Wants(size_t kind) const override {
    return EventKinds(wanted_.load(std::memory_order_relaxed)).test(kind);
  }
  void Emit(Event event) override;
  void EmitTo(uint64_t watcher, Event event) override;

 private:
  using Watchers = std::vector<std::shared_ptr<Watcher>>;

  std::shared_ptr<const Watchers> Present() const;
  std::shared_ptr<Watcher> Find(uint64_t watcher) const;
  void Replace(std::shared_ptr<const Watchers> watchers) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnPut(const Watcher& watcher, StreamQueue<Item>::Add added);

  Counters& counters_;
  std::atomic<uint64_t> wanted_{0};  // the kinds that some watcher wants, as EventKinds
  std::atomic<uint64_t> last_id_{0};
  mutable absl::Mutex mutex_;
  // Never changed, only replaced, so that an emitter walks it without the lock.
  std::shared_ptr<const Watchers> watchers_ ABSL_GUARDED_BY(mutex_) =
      std::make_shared<const Watchers>();
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_EVENT_HUB_H_
