#include "tests/support/test_gateway.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <iterator>
#include <utility>

#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);

}  // namespace

void EventRecorder::Emit(Event event) {
  {
    std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
  }
  added_.notify_all();
}

std::optional<Event> EventRecorder::Await(absl::FunctionRef<bool(const Event&)> matches) {
  std::unique_lock lock(mutex_);
  size_t seen = 0;
  const auto found = [&] {
    while (seen < events_.size() && !matches(events_[seen])) ++seen;
    return seen < events_.size();
  };
  if (added_.wait_for(lock, kPatience, found)) return events_[seen];
  ADD_FAILURE() << "waited in vain for an event";
  return std::nullopt;
}

TestGateway::TestGateway(Settings settings)
    : directory_({.node = stats_.node()}, settings.limits, clock_) {
  auto made = Gateway::Create({.options = std::move(settings.gateway),
                               .limits = settings.limits,
                               .broker = broker_,
                               .directory = directory_,
                               .events = events_,
                               .backend = settings.backend,
                               .stats = stats_,
                               .measures = measures_,
                               .clock = clock_,
                               .sessions = settings.sessions});
  EXPECT_TRUE(made.ok()) << made.status();
  gateway_ = *std::move(made);
}

RawClient TestGateway::OpenEcho(const RawClient::Options& options) const {
  RawClient client(address(), options);
  EXPECT_TRUE(client.Upgrade("/echo"));
  return client;
}

TestConnection TestGateway::Open(const RawClient::Options& options, std::string_view headers) {
  const std::string query = fmt::format("test={}", ++opened_);
  TestConnection connection = {.socket = RawClient(address(), options), .id = {}};
  EXPECT_TRUE(connection.socket.Upgrade("/ws?" + query, headers));
  const std::optional<Event> event = events_.Await([&](const Event& seen) {
    const auto* connected = std::get_if<event::Connected>(&seen.detail);
    return connected != nullptr && connected->handshake->query == query;
  });
  if (event.has_value()) connection.id = event->connection;
  return connection;
}

void TestGateway::Publish(Topic to, std::string_view payload) {
  Deliver deliver = {.frame = Frame::Make(Opcode::kText, payload)};
  broker_.Publish({.to = std::move(to), .action = std::move(deliver)}, [](Receipt) {});
}

Receipt TestGateway::Ask(Topic to, Action action) {
  auto answer = std::make_shared<std::promise<Receipt>>();
  std::future<Receipt> answered = answer->get_future();
  broker_.Publish({.to = std::move(to), .action = std::move(action)},
                  [answer](Receipt receipt) { answer->set_value(std::move(receipt)); });
  if (answered.wait_for(kPatience) == std::future_status::ready) return answered.get();
  ADD_FAILURE() << "waited in vain for a receipt";
  return {};
}

Receipt TestGateway::Own(const TestConnection& connection, const std::string& client,
                         const std::vector<std::string>& rooms) {
  wsrouter::Own own = {.client = {client}};
  for (const std::string& room : rooms) own.rooms.push_back({room});
  return Ask(connection.id, std::move(own));
}

Receipt TestGateway::Push(const std::string& room, std::string_view payload, Opcode opcode) {
  return Ask(RoomName{room}, Deliver{.frame = Frame::Make(opcode, payload)});
}

TestConnection TestGateway::Online(const std::string& client, const std::vector<std::string>& rooms,
                                   const RawClient::Options& options, std::string_view headers) {
  TestConnection connection = Open(options, headers);
  const Receipt owned = Own(connection, client, rooms);
  EXPECT_TRUE(owned.status.ok()) << owned.status;
  return connection;
}

size_t OpenDescriptors() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(descriptors), end(descriptors))) - 1;
}

absl::Duration OthersCpuTime() {
  const auto used = [](__rusage_who who) {
    rusage usage{};
    (void)getrusage(who, &usage);
    return absl::DurationFromTimeval(usage.ru_utime) + absl::DurationFromTimeval(usage.ru_stime);
  };
  return used(RUSAGE_SELF) - used(RUSAGE_THREAD);
}

}  // namespace wsrouter
