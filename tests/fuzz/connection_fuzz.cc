// A shard's loop against sockets that only exist in memory: whatever clients send, however little
// they read, whatever services ask for and whenever things end, each session ends once, output is
// well-formed frames in order with nothing behind a Close, every envelope is answered once, and
// nothing is left.
//
// Input: a script of operations, each an octet and its arguments (see Script::Step). A script is
// text that people can read and write: spaces and line ends between operations do nothing.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "core/stats.h"
#include "engine/memory_broker.h"
#include "engine/memory_directory.h"
#include "gateway/shard_loop.h"
#include "tests/support/checked_events.h"
#include "tests/support/fake_socket_loop.h"
#include "tests/support/fakes.h"
#include "tests/support/script_text.h"
#include "tests/support/sent_stream.h"
#include "tests/support/wire.h"

namespace wsrouter {
namespace {

constexpr size_t kSocketsMax = 8;
constexpr std::string_view kSocketOperations = "uehfcprabx";
constexpr std::string_view kServiceOperations = "NRJLPSADQ";

class Script {
 public:
  explicit Script(std::string_view input) : input_(input) {}
  void Execute();

 private:
  void Play(FakeNetwork& network);
  void Step();
  void StepSocket(char operation);
  void StepService(char operation);
  void Finish();

  FakeSocket* Socket() {
    auto& sockets = network_->sockets();
    const size_t number = input_.Number();
    return sockets.empty() ? nullptr : sockets[number % sockets.size()].get();
  }
  ConnectionId Id() {
    const size_t number = input_.Number();
    return events_.ids.empty() ? ConnectionId{.node = stats_.node(), .counter = 99}
                               : events_.ids[number % events_.ids.size()];
  }
  static std::string Name(char kind, size_t number) {
    return {kind, static_cast<char>('0' + number % 3)};
  }
  void Open();
  void Feed(std::string_view octets);
  void Ask(Topic to, Action action);
  void Push(Topic to, size_t size);

  ScriptText input_;
  ManualClock clock_;
  const GatewayOptions options_ = {
      .upgrade = {.paths = {"/ws"}, .echo_path = "/echo", .subprotocols = {"wsrouter.v1.json"}},
      .page = "<p>page",
      .message_bytes_max = 300};
  const Limits limits_ = {
      .connections_per_client = 4, .rooms_per_connection = 2, .slow_consumer_bytes = 400};
  Stats stats_{NodeIdentity{"fuzz", 1}, "fuzz", absl::UnixEpoch()};
  MeasureBlock measures_;
  MemoryBroker broker_{stats_.node()};
  MemoryDirectory directory_{NodeRow{.node = stats_.node()}, limits_, clock_};
  CheckedEvents events_;
  AddressLimit addresses_{kSocketsMax};
  Pressure pressure_{Pressure::Options()};
  OutboxBudget budget_{0, 1};
  FakeNetwork* network_ = nullptr;
  std::unique_ptr<ShardLoop> loop_;
  absl::Notification played_;
  size_t opened_ = 0;
  size_t asked_ = 0;
  size_t answered_ = 0;
  uint64_t pushes_ = 0;
  bool stopping_ = false;
};

void Script::Execute() {
  FakeNetwork network([this](FakeNetwork& net) { Play(net); });
  network_ = &network;
  loop_ = std::make_unique<ShardLoop>(
      ShardLoop::Parts{.node = stats_.node(),
                       .index = 0,
                       .options = std::make_shared<const GatewayOptions>(options_),
                       .limits = limits_,
                       .addresses = addresses_,
                       .pressure = pressure_,
                       .budget = budget_,
                       .broker = broker_,
                       .directory = directory_,
                       .events = events_,
                       .counters = stats_.AddCounters(),
                       .gauges = stats_.AddGauges(),
                       .measures = measures_,
                       .clock = clock_});
  Require(loop_->Start().ok(), "the loop starts");
  played_.WaitForNotification();
  loop_->FinishStop(absl::InfiniteDuration());
  loop_.reset();
  Require(answered_ == asked_, "every envelope is answered once");
}

void Script::Play(FakeNetwork& network) {
  network.BeginTurn();
  while (!input_.empty() && !network.ended()) Step();
  Finish();
  played_.Notify();
}

void Script::Step() {
  const auto operation = static_cast<char>(input_.Octet());
  switch (operation) {
    case 'o':  // a socket whose first n * 64 octets are accepted
      network_->window = input_.Number() * 64;
      return Open();
    case 'O':
      network_->refuses_adoption = input_.Number() % 2 == 1;
      return;
    case ';':  // the turn ends, another begins
      network_->EndTurn();
      return network_->BeginTurn();
    case 't':  // as many tenths of a second pass, then a tick
      clock_.Advance(absl::Milliseconds(100) * static_cast<int64_t>(input_.Number()));
      network_->EndTurn();
      network_->BeginTurn();
      return network_->Tick();
    case 'Z': {  // the node stops, within as many seconds
      const auto window = absl::Seconds(static_cast<int64_t>(input_.Number()));
      if (!std::exchange(stopping_, true)) loop_->BeginStop(window);
      return;
    }
    default:
      if (kSocketOperations.find(operation) != std::string_view::npos) StepSocket(operation);
      if (kServiceOperations.find(operation) != std::string_view::npos) StepService(operation);
  }
}

// Each has the number of a socket as its first argument.
void Script::StepSocket(char operation) {
  switch (operation) {
    case 'u':
      return Feed(UpgradeRequest("/ws"));
    case 'e':
      return Feed(UpgradeRequest("/echo"));
    case 'h':
      return Feed(UpgradeRequest("/ws", "Sec-WebSocket-Protocol: wsrouter.v1.json\r\n"));
    case 'f': {  // a frame: first octet, payload
      FakeSocket* socket = Socket();
      const uint8_t first = input_.Octet();
      const std::string frame = ClientFrameOf(first, input_.Piece());
      if (socket != nullptr) network_->Receive(*socket, frame);
      return;
    }
    case 'c':
      return Feed(ClientClose(1000, "bye"));
    case 'p':
      return Feed(ClientPing("ping"));
    case 'r': {  // octets as they are
      FakeSocket* socket = Socket();
      const std::string_view octets = input_.Piece();
      if (socket != nullptr && !octets.empty()) network_->Receive(*socket, octets);
      return;
    }
    case 'a': {  // n * 64 octets more are accepted
      FakeSocket* socket = Socket();
      const size_t octets = input_.Number() * 64;
      if (socket != nullptr) network_->Accept(*socket, octets);
      return;
    }
    case 'b':
      if (FakeSocket* socket = Socket()) socket->broken = true;
      return;
    default:  // 'x'
      if (FakeSocket* socket = Socket()) network_->End(*socket);
  }
}

// What services ask for; the first argument is a connection, client or room by its number.
void Script::StepService(char operation) {
  switch (operation) {
    case 'N': {
      const ConnectionId id = Id();
      const size_t client = input_.Number();
      Own own = {.client = {Name('c', client)}, .rooms = {{Name('r', client)}}};
      own.on_duplicate = static_cast<OnDuplicate>(client / 3 % 3);
      if (client >= 32) own.expires_at = clock_.now.wall + absl::Seconds(1);
      return Ask(id, std::move(own));
    }
    case 'R': {
      const ConnectionId id = Id();
      Release release;
      if (input_.Number() % 2 == 1) release.close = CloseWith{4021, "released"};
      return Ask(id, std::move(release));
    }
    case 'J': {
      const ConnectionId id = Id();
      return Ask(id, Join{{{Name('r', input_.Number())}}});
    }
    case 'L': {
      const ConnectionId id = Id();
      return Ask(id, Leave{{{Name('r', input_.Number())}}});
    }
    case 'P': {
      const RoomName room = {Name('r', input_.Number())};
      return Push(room, input_.Number() * 8);
    }
    case 'S': {
      const ConnectionId id = Id();
      return Push(id, input_.Number() * 8);
    }
    case 'A':
      return Push(Everyone{}, input_.Number() * 8);
    case 'D':
      return Ask(Id(), Disconnect{{4021, "disconnected"}});
    default:  // 'Q'
      return Ask(ClientId{Name('c', input_.Number())}, Disconnect{{1000, ""}});
  }
}

void Script::Feed(std::string_view octets) {
  if (FakeSocket* socket = Socket()) network_->Receive(*socket, octets);
}

void Script::Open() {
  if (opened_ == kSocketsMax) return;
  NewSocket socket;
  Require(addresses_.Enter(socket.peer.key), "a place is free for each socket");
  Require(loop_->Offer(socket), "the mailbox has room");
  ++opened_;
}

void Script::Ask(Topic to, Action action) {
  ++asked_;
  broker_.Publish({.to = std::move(to), .action = std::move(action)},
                  [this](Receipt) { ++answered_; });
}

// Odd sizes disconnect who is too slow. The payload begins with its number.
void Script::Push(Topic to, size_t size) {
  std::string payload = NumberedPayload(++pushes_, size);
  using enum SlowConsumerPolicy;
  const auto policy = std::array{kDrop, kDisconnect, kDropOld, kDisconnect}[size / 8 % 4];
  Ask(std::move(to),
      Deliver{.frame = Frame::Make(Opcode::kText, payload), .slow_consumer = policy});
}

// The node stops, some peers read what comes and go, the others are cut by the clock.
void Script::Finish() {
  if (!std::exchange(stopping_, true)) loop_->BeginStop(absl::ZeroDuration());
  for (int turn = 0; turn < 200 && !network_->ended(); ++turn) {
    network_->EndTurn();
    clock_.Advance(absl::Milliseconds(100));
    network_->BeginTurn();
    network_->Tick();
    for (size_t i = 0; i < network_->sockets().size(); i += 2) {
      network_->Accept(*network_->sockets()[i], 1 << 20);
    }
  }
  network_->EndTurn();
  Require(network_->ended(), "the loop ends with the last session");
  for (const auto& socket : network_->sockets()) {
    Require(socket->session == nullptr, "every session has ended");
    CheckSentStream(socket->received + socket->backlog, socket->shut);
  }
  Require(events_.AllEnded(), "every connection was told to have ended");
  const Stats::Now now = stats_.Read();
  Require(now.connections == 0 && now.owned == 0 && now.rooms == 0 && now.members == 0,
          "no connection, client or room is left");
  Require(now.outbox_bytes == 0, "no octet is left in an outbox");
  Require(loop_->sockets() == 0, "no socket is counted any more");
  Require(stats_.Total(Counter::kConnectionsOpened) == events_.ids.size() &&
              stats_.Total(Counter::kConnectionsClosed) == events_.ids.size(),
          "each connection opened and closed once");
}

}  // namespace
}  // namespace wsrouter

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  // On the heap: AddressSanitizer's stack of locals does not keep the alignment that it asks for.
  std::make_unique<wsrouter::Script>(input)->Execute();
  return 0;
}
