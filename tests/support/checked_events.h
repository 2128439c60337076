#ifndef WSROUTER_TESTS_SUPPORT_CHECKED_EVENTS_H_
#define WSROUTER_TESTS_SUPPORT_CHECKED_EVENTS_H_

#include <algorithm>
#include <utility>
#include <vector>

#include "core/event.h"
#include "tests/support/fake_socket_loop.h"

namespace wsrouter {

// The events of one shard; aborts unless each connection's come between its one Connected and its
// one Disconnected.
class CheckedEvents final : public EventSink {
 public:
  bool Wants(size_t) const override { return true; }
  void EmitTo(uint64_t, Event) override {}
  void Emit(Event event) override {
    if (std::holds_alternative<event::Connected>(event.detail)) {
      Require(event.connection.counter == ids.size() + 1, "connections are numbered as they come");
      ids.push_back(event.connection);
      live_.push_back(true);
      return;
    }
    const size_t index = event.connection.counter - 1;
    Require(index < live_.size() && live_[index], "nothing is heard of an ended connection");
    if (std::holds_alternative<event::Disconnected>(event.detail)) live_[index] = false;
  }
  bool AllEnded() const { return std::ranges::count(live_, true) == 0; }

  std::vector<ConnectionId> ids;

 private:
  std::vector<bool> live_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_CHECKED_EVENTS_H_
