#ifndef WSROUTER_CORE_SLOW_LOG_H_
#define WSROUTER_CORE_SLOW_LOG_H_

#include <utility>

#include "core/event.h"
#include "core/event_log.h"

namespace wsrouter {

// Stands before another sink and appends SLOW of owned connections to the event log, once for each
// time that they fall behind or end by it.
class SlowLog final : public EventSink {
 public:
  SlowLog(EventSink& sink, EventLog& log) : sink_(sink), log_(log) {}

  bool Wants(size_t kind) const override {
    return sink_.Wants(kind) || (kind == kEventKind<event::Slow> && log_.on());
  }
  void Emit(Event event) override {
    const auto* slow = std::get_if<event::Slow>(&event.detail);
    if (slow != nullptr && slow->cause != SlowCause::kRecovered && !event.client.value.empty()) {
      log_.Append(LogKind::kSlow, event.client, event.connection);
    }
    if (sink_.Wants(event.detail.index())) sink_.Emit(std::move(event));
  }
  void EmitTo(uint64_t watcher, Event event) override { sink_.EmitTo(watcher, std::move(event)); }

 private:
  EventSink& sink_;
  EventLog& log_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_SLOW_LOG_H_
