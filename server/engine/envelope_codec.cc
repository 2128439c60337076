// Envelopes on the wire; receipts are in receipt_codec.cc.
#include "engine/envelope_codec.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/overloaded.h"
#include "core/limits.h"
#include "engine/deliver_codec.h"
#include "engine/envelope_payload.h"
#include "engine/own_codec.h"
#include "engine/wire_values.h"

namespace wsrouter {
namespace {

constexpr WireEnum<Opcode, wire::Opcode, 2> kOpcodes = {{
    {Opcode::kText, wire::OPCODE_TEXT},
    {Opcode::kBinary, wire::OPCODE_BINARY},
}};
constexpr WireEnum<Receipts, wire::Receipts, 2> kReceipts = {{
    {Receipts::kLocal, wire::RECEIPTS_LOCAL},
    {Receipts::kRouted, wire::RECEIPTS_ROUTED},
}};

void WriteTopic(const Topic& topic, wire::Topic* to) {
  std::visit(Overloaded{
                 [&](const ConnectionId& id) { WriteConnection(id, to->mutable_connection()); },
                 [&](const Inbox& inbox) { to->set_inbox(inbox.shard); },
                 [&](const ClientId& client) { to->set_client(client.value); },
                 [&](const RoomName& room) { to->set_room(room.value); },
                 [&](const ChannelName& channel) { to->set_channel(channel.value); },
                 [&](const Everyone&) { to->mutable_everyone(); },
                 [&](const ThisNode&) { to->mutable_this_node(); },
             },
             topic);
}

void WriteClose(const CloseWith& close, wire::Close* to) {
  to->set_code(close.code);
  to->set_reason(close.reason);
}

void WriteDescribe(const Describe& describe, wire::Describe* to) {
  if (describe.after.has_value()) WriteConnection(*describe.after, to->mutable_after());
  to->set_count(describe.count);
  for (const ClientId& client : describe.clients) to->add_clients(client.value);
}

// Returns the frame whose payload goes behind the message, null where there is none.
const Frame* WriteAction(const Action& action, wire::Envelope* to) {
  const Frame* frame = nullptr;
  std::visit(
      Overloaded{
          [&](const Deliver& deliver) {
            to->mutable_deliver()->set_opcode(ToWire(kOpcodes, deliver.frame->opcode()));
            WriteDeliver(deliver, to->mutable_deliver());
            frame = deliver.frame.get();
          },
          [&](const Own& own) { WriteOwn(own, to->mutable_own()); },
          [&](const Release& release) {
            wire::Release* written = to->mutable_release();
            if (release.close.has_value()) {
              WriteClose(*release.close, written->mutable_close());
            }
          },
          [&](const Join& join) { WriteRooms(join.rooms, to->mutable_join()->mutable_rooms()); },
          [&](const Leave& leave) {
            WriteRooms(leave.rooms, to->mutable_leave()->mutable_rooms());
          },
          [&](const Disconnect& end) {
            WriteClose(end.close, to->mutable_disconnect());
            to->mutable_disconnect()->set_handed_over(end.handed_over);
          },
          [&](const Describe& describe) { WriteDescribe(describe, to->mutable_describe()); },
          [&](const AnnouncePending&) {},  // refused by whoever decodes it
          [&](const Reassert&) {},         // likewise
          [&](const ToChannel& push) {
            to->mutable_to_channel()->set_opcode(ToWire(kOpcodes, push.frame->opcode()));
            frame = push.frame.get();
          },
      },
      action);
  return frame;
}

Topic ReadTopic(WireReader& reader, const wire::Topic& from) {
  switch (from.kind_case()) {
    case wire::Topic::kConnection:
      return reader.ReadConnection("to.connection", from.connection());
    case wire::Topic::kInbox:
      return Inbox{reader.ReadShard("to.inbox", from.inbox())};
    case wire::Topic::kClient:
      return reader.ReadName<ClientId>("to.client", from.client());
    case wire::Topic::kRoom:
      return reader.ReadName<RoomName>("to.room", from.room());
    case wire::Topic::kChannel:
      return reader.ReadName<ChannelName>("to.channel", from.channel());
    case wire::Topic::kEveryone:
      return Everyone{};
    case wire::Topic::kThisNode:
      return ThisNode{};
    case wire::Topic::KIND_NOT_SET:
      break;
  }
  reader.Fail("to", "is missing, or of an unknown kind");
  return Everyone{};
}

FramePtr ReadFrame(WireReader& reader, wire::Opcode opcode, std::string_view payload) {
  const Opcode read = reader.ReadEnum("opcode", kOpcodes, opcode);
  return reader.ok() ? Frame::Make(read, payload) : nullptr;
}

Describe ReadDescribe(WireReader& reader, const wire::Describe& from) {
  Describe describe = {.after = std::nullopt, .count = from.count()};
  reader.Require(from.count() <= kPageMax, "describe.count", "is too large");
  if (from.has_after()) {
    describe.after = reader.ReadSupposedConnection("describe.after", from.after());
  }
  reader.Require(from.clients_size() <= int{kPageMax}, "describe.clients", "has too many entries");
  for (int i = 0; i < from.clients_size() && reader.ok(); ++i) {
    describe.clients.push_back(reader.ReadName<ClientId>("describe.clients", from.clients(i)));
  }
  return describe;
}

Action ReadAction(WireReader& reader, const wire::Envelope& from, std::string_view payload) {
  switch (from.action_case()) {
    case wire::Envelope::kDeliver:
      return ReadDeliver(reader, from.deliver(),
                         ReadFrame(reader, from.deliver().opcode(), payload));
    case wire::Envelope::kOwn:
      return ReadOwn(reader, from.own());
    case wire::Envelope::kRelease:
      if (!from.release().has_close()) return Release{};
      return Release{reader.ReadClose(from.release().close())};
    case wire::Envelope::kJoin:
      return Join{reader.ReadRooms("join.rooms", from.join().rooms())};
    case wire::Envelope::kLeave:
      return Leave{reader.ReadRooms("leave.rooms", from.leave().rooms())};
    case wire::Envelope::kDisconnect:
      return Disconnect{.close = reader.ReadClose(from.disconnect()),
                        .handed_over = from.disconnect().handed_over()};
    case wire::Envelope::kDescribe:
      return ReadDescribe(reader, from.describe());
    case wire::Envelope::kToChannel:
      return ToChannel{ReadFrame(reader, from.to_channel().opcode(), payload)};
    case wire::Envelope::ACTION_NOT_SET:
      break;
  }
  reader.Fail("action", "is missing, or of an unknown kind");
  return Release{};
}

ClientId ReadFrom(WireReader& reader, const std::string& from) {
  return from.empty() ? ClientId() : reader.ReadName<ClientId>("from", from);
}

}  // namespace

std::string EncodeEnvelope(const WireEnvelope& wire) {
  wire::Envelope message;
  message.set_request(wire.request);
  message.set_wants_receipt(wire.wants_receipt);
  message.set_receipts(ToWire(kReceipts, wire.envelope.receipts));
  WriteTopic(wire.envelope.to, message.mutable_to());
  message.set_from(wire.envelope.from.value);
  const Frame* frame = WriteAction(wire.envelope.action, &message);
  if (frame == nullptr) return message.SerializeAsString();

  std::string octets;
  octets.reserve(message.ByteSizeLong() + PayloadBytes(frame->payload()));
  message.AppendToString(&octets);
  AppendPayload(frame->payload(), octets);
  return octets;
}

absl::StatusOr<WireEnvelope> DecodeEnvelope(std::string_view octets) {
  const std::optional<SplitEnvelope> split = SplitPayload(octets);
  wire::Envelope message;
  if (!split.has_value() ||
      !message.ParseFromArray(split->head.data(), static_cast<int>(split->head.size()))) {
    return absl::InvalidArgumentError("the envelope is not a message of wire.proto");
  }
  WireReader reader("envelope");
  const bool carries = message.has_deliver() || message.has_to_channel();
  reader.Require(carries == split->payload.has_value(), "payload",
                 carries ? "is missing" : "has no place in its action");
  WireEnvelope wire = {
      .envelope = {.to = ReadTopic(reader, message.to()),
                   .action = ReadAction(reader, message, split->payload.value_or("")),
                   .receipts = reader.ReadEnum("receipts", kReceipts, message.receipts()),
                   .from = ReadFrom(reader, message.from())},
      .request = message.request(),
      .wants_receipt = message.wants_receipt()};
  if (!reader.ok()) return reader.status();
  return wire;
}

}  // namespace wsrouter
