#ifndef WSROUTER_TESTS_SUPPORT_TEST_GATEWAY_H_
#define WSROUTER_TESTS_SUPPORT_TEST_GATEWAY_H_

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "base/clock.h"
#include "core/stats.h"
#include "engine/memory_broker.h"
#include "engine/memory_directory.h"
#include "gateway/gateway.h"
#include "tests/support/eventually.h"
#include "tests/support/raw_client.h"

namespace wsrouter {

// Keeps every event, and lets a test wait for one. Any thread.
class EventRecorder final : public EventSink {
 public:
  bool Wants(size_t) const override { return true; }
  void Emit(Event event) override;
  void EmitTo(uint64_t, Event) override {}

  // The first event, past or to come, that `matches`. Fails the test after ten seconds.
  std::optional<Event> Await(absl::FunctionRef<bool(const Event&)> matches);

  // The first event of that kind from that connection.
  template <typename Detail>
  Detail AwaitOf(const ConnectionId& connection) {
    const std::optional<Event> event = Await([&](const Event& seen) {
      return seen.connection == connection && std::holds_alternative<Detail>(seen.detail);
    });
    return event.has_value() ? std::get<Detail>(event->detail) : Detail();
  }

  // Whether there was an event of that kind.
  template <typename Detail>
  bool Has() {
    const std::lock_guard lock(mutex_);
    return std::ranges::any_of(
        events_, [](const Event& seen) { return std::holds_alternative<Detail>(seen.detail); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable added_;
  std::vector<Event> events_;  // guarded by mutex_
};

// An upgraded connection with the id that the node gave it.
struct TestConnection {
  RawClient socket;
  ConnectionId id;
};

// The real gateway on the real memory engine, on ports that the system picks on 127.0.0.1 and
// [::1]; what a service would ask for over gRPC is asked of the broker directly.
class TestGateway {
 public:
  struct Settings {
    GatewayOptions gateway = {
        .listen = {"127.0.0.1:0", "[::1]:0"},
        .upgrade = {.paths = {"/ws"}, .echo_path = "/echo", .subprotocols = {"wsrouter.v1.json"}}};
    Limits limits;
    Backend* backend = nullptr;
    Sessions* sessions = nullptr;
  };

  TestGateway() : TestGateway(Settings()) {}
  explicit TestGateway(Settings settings);

  const std::string& address() const { return gateway_->addresses()[0]; }
  const std::string& address_v6() const { return gateway_->addresses()[1]; }
  Gateway& gateway() { return *gateway_; }
  EventRecorder& events() { return events_; }

  RawClient Connect() const { return RawClient(address()); }
  // Upgraded on the echo path.
  RawClient OpenEcho(const RawClient::Options& options = {}) const;
  TestConnection Open(const RawClient::Options& options = {}, std::string_view headers = "");

  // Publishes a text and waits for nothing. Any thread.
  void Publish(Topic to, std::string_view payload);
  // Publishes and waits for the receipt.
  Receipt Ask(Topic to, Action action);
  Receipt Own(const TestConnection& connection, const std::string& client,
              const std::vector<std::string>& rooms = {});
  Receipt Push(const std::string& room, std::string_view payload, Opcode opcode = Opcode::kText);
  // A new connection of `client` in `rooms`.
  TestConnection Online(const std::string& client, const std::vector<std::string>& rooms = {},
                        const RawClient::Options& options = {}, std::string_view headers = "");

  uint64_t Total(Counter counter) const { return stats_.Total(counter); }
  Stats::Now Gauges() const { return stats_.Read(); }
  Histogram::Reading Read(Measure measure) const { return measures_.Read(measure); }

 private:
  SystemClock clock_;
  Stats stats_{NodeIdentity{"test", 1}, "test", clock_.Now().wall};
  Measures measures_;
  MemoryBroker broker_{stats_.node()};
  MemoryDirectory directory_;
  EventRecorder events_;
  std::unique_ptr<Gateway> gateway_;
  int opened_ = 0;
};

// Of this process.
size_t OpenDescriptors();
// Of this process but for the calling thread.
absl::Duration OthersCpuTime();

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_TEST_GATEWAY_H_
