#include "tests/support/sample_envelopes.h"

#include <string>

#include "core/error.h"

namespace wsrouter {
namespace {

using namespace std::string_literals;

Own SampleOwn() {
  return {.client = {"alice"},
          .on_duplicate = OnDuplicate::kReject,
          .rooms = {{"lobby"}, {"\xC3\xA4"}},
          .labels = {{"plan", ""}, {"tier", "gold"}},
          .expires_at = absl::FromUnixSeconds(4102444800) + absl::Nanoseconds(999'999'999),
          .may_join = {"team:*", "lobby"}};
}

Deliver SampleDeliver() {
  Exceptions except;
  for (uint64_t counter = 1; counter <= 20; ++counter) {
    except.connections.insert(SampleConnection(counter));
    except.clients.insert(ClientId{"client-" + std::to_string(counter)});
  }
  return {.frame = Frame::Make(Opcode::kBinary, "\0\xFF\xC0\r\n"s),
          .slow_consumer = SlowConsumerPolicy::kDisconnect,
          .except = std::make_shared<const Exceptions>(std::move(except))};
}

ConnectionDescription SampleDescription() {
  return {.id = SampleConnection(7),
          .client = {"alice"},
          .peer = "[2001:db8::1]:4711",
          .path = "/ws\xFF",
          .subprotocol = "wsrouter.v2",
          .connected_at = absl::FromUnixSeconds(-1) + absl::Nanoseconds(1),
          .expires_at = absl::FromUnixNanos(1'234'567'890'123'456'789),
          .rooms = {{"lobby"}, {"hall"}},
          .labels = {{"a", "1"}, {"b", ""}},
          .outbox_bytes = UINT64_MAX};
}

Receipt SampleReceipt() {
  using Result = RoomChange::Result;
  Receipt receipt = {
      .status = Refusal(absl::StatusCode::kFailedPrecondition, "CONNECTION_NOT_OWNED", "who?"),
      .partial = true,
      .nodes = UINT32_MAX,
      .matched = UINT64_MAX,
      .queued = 2,
      .dropped_slow_consumer = 3,
      .dropped_mailbox_full = 4};
  for (const Result result :
       {Result::kJoined, Result::kAlreadyMember, Result::kLeft, Result::kNotAMember}) {
    receipt.rooms.push_back(
        {.room = {"lobby"}, .result = result, .members = 5, .connections = UINT64_MAX});
  }
  receipt.rooms.push_back({.room = {"hall"},
                           .result = Result::kRefused,
                           .refusal = Refusal(absl::StatusCode::kResourceExhausted,
                                              "CAPACITY_ROOM_MEMBERS", "full\xFF")});
  receipt.rooms.push_back({.room = {"h"}, .refusal = absl::CancelledError("")});
  receipt.displaced = {SampleConnection(8), SampleConnection(9)};
  receipt.connections = {SampleDescription(), {.id = SampleConnection(0)}};
  return receipt;
}

}  // namespace

ConnectionId SampleConnection(uint64_t counter) {
  return {.node = {.server_id = "gw-1", .incarnation = UINT64_MAX - counter},
          .shard = 255,
          .counter = counter};
}

std::vector<Topic> SampleTopics() {
  return {SampleConnection(UINT64_MAX),
          Inbox{0},
          Inbox{255},
          ClientId{"x"},
          RoomName{"x"},
          ChannelName{"x"},
          Everyone{},
          ThisNode{}};
}

std::vector<Action> SampleActions() {
  return {SampleDeliver(),
          Deliver{.frame = Frame::Make(Opcode::kText, "")},
          Deliver{.frame = Frame::Make(Opcode::kText, std::string(70'000, 'x')),
                  .slow_consumer = SlowConsumerPolicy::kDrop},
          Deliver{.frame = Frame::Make(Opcode::kText, "a"),
                  .slow_consumer = SlowConsumerPolicy::kDropOld},
          Deliver{.frame = Frame::Make(Opcode::kText, "a"),
                  .slow_consumer = SlowConsumerPolicy::kConflate,
                  .conflation_key = "price:\xC3\xA4"},
          SampleOwn(),
          Own{.client = {"bob"}, .on_duplicate = OnDuplicate::kReplace},
          Own{.client = {"bob"}},
          Release{},
          Release{CloseWith{.code = 1000, .reason = ""}},
          Join{{{"lobby"}, {"hall"}}},
          Join{},
          Leave{{{"lobby"}}},
          Disconnect{{.code = 4999,
                      .reason = "b\xC3\xBD"
                                "e"}},
          Disconnect{.close = {.code = 4020, .reason = ""}, .handed_over = true},
          Describe{.after = SampleConnection(3), .count = 1000},
          Describe{.after = std::nullopt, .count = 0},
          Describe{.after = std::nullopt, .count = 2, .clients = {{"alice"}, {"b\xC3\xBD"}}},
          ToChannel{Frame::Make(Opcode::kBinary, "\0\0"s)},
          ToChannel{Frame::Make(Opcode::kText, "")}};
}

std::vector<WireEnvelope> SampleEnvelopes() {
  std::vector<WireEnvelope> samples;
  for (const Topic& topic : SampleTopics()) {
    for (const Action& action : SampleActions()) {
      const bool local = samples.size() % 2 == 1;
      samples.push_back({.envelope = {.to = topic,
                                      .action = action,
                                      .receipts = local ? Receipts::kLocal : Receipts::kRouted,
                                      .from = {local ? "alice" : ""}},
                         .request = local ? UINT64_MAX : 0,
                         .wants_receipt = local});
    }
  }
  return samples;
}

std::vector<WireReceipt> SampleReceipts() {
  return {{.request = UINT64_MAX, .receipt = SampleReceipt()}, {}};
}

}  // namespace wsrouter
