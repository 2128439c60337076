#include "engine/envelope_codec.h"

#include "engine/wire.pb.h"
#include "gmock/gmock.h"
#include "tests/support/sample_envelopes.h"

namespace wsrouter {
namespace {

bool SameFrame(const FramePtr& a, const FramePtr& b) {
  return a->opcode() == b->opcode() && a->wire() == b->wire();
}

bool SameClose(const CloseWith& a, const CloseWith& b) {
  return a.code == b.code && a.reason == b.reason;
}

bool Same(const Deliver& a, const Deliver& b) {
  if (!SameFrame(a.frame, b.frame) || a.slow_consumer != b.slow_consumer) return false;
  if (a.except == nullptr || b.except == nullptr) return a.except == b.except;
  return a.except->connections == b.except->connections && a.except->clients == b.except->clients;
}

bool Same(const Own& a, const Own& b) {
  return a.client == b.client && a.on_duplicate == b.on_duplicate && a.rooms == b.rooms &&
         a.labels == b.labels && a.expires_at == b.expires_at;
}

bool Same(const Release& a, const Release& b) {
  if (!a.close.has_value() || !b.close.has_value()) {
    return a.close.has_value() == b.close.has_value();
  }
  return SameClose(*a.close, *b.close);
}

bool Same(const Join& a, const Join& b) { return a.rooms == b.rooms; }
bool Same(const Leave& a, const Leave& b) { return a.rooms == b.rooms; }
bool Same(const Disconnect& a, const Disconnect& b) {
  return SameClose(a.close, b.close) && a.handed_over == b.handed_over;
}
bool Same(const Describe& a, const Describe& b) {
  return a.after == b.after && a.count == b.count && a.clients == b.clients;
}
bool Same(const ToChannel& a, const ToChannel& b) { return SameFrame(a.frame, b.frame); }
// These never leave a node.
bool Same(const AnnouncePending&, const AnnouncePending&) { return false; }
bool Same(const Reassert&, const Reassert&) { return false; }

bool Same(const Action& a, const Action& b) {
  return std::visit(
      [&]<typename T>(const T& action) {
        const T* other = std::get_if<T>(&b);
        return other != nullptr && Same(action, *other);
      },
      a);
}

void ExpectSame(const RoomChange& a, const RoomChange& b) {
  EXPECT_EQ(a.room, b.room);
  EXPECT_EQ(a.result, b.result);
  EXPECT_EQ(a.refusal, b.refusal);  // with the reason
  EXPECT_EQ(a.members, b.members);
  EXPECT_EQ(a.connections, b.connections);
}

void ExpectSame(const ConnectionDescription& a, const ConnectionDescription& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.client, b.client);
  EXPECT_EQ(a.peer, b.peer);
  EXPECT_EQ(a.path, b.path);
  EXPECT_EQ(a.subprotocol, b.subprotocol);
  EXPECT_EQ(a.connected_at, b.connected_at);
  EXPECT_EQ(a.expires_at, b.expires_at);
  EXPECT_EQ(a.rooms, b.rooms);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.outbox_bytes, b.outbox_bytes);
}

void ExpectSame(const Receipt& a, const Receipt& b) {
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.partial, b.partial);
  EXPECT_EQ(a.nodes, b.nodes);
  EXPECT_EQ(a.matched, b.matched);
  EXPECT_EQ(a.queued, b.queued);
  EXPECT_EQ(a.dropped_slow_consumer, b.dropped_slow_consumer);
  EXPECT_EQ(a.dropped_mailbox_full, b.dropped_mailbox_full);
  EXPECT_EQ(a.displaced, b.displaced);
  ASSERT_EQ(a.rooms.size(), b.rooms.size());
  for (size_t i = 0; i < a.rooms.size(); ++i) ExpectSame(a.rooms[i], b.rooms[i]);
  ASSERT_EQ(a.connections.size(), b.connections.size());
  for (size_t i = 0; i < a.connections.size(); ++i) {
    ExpectSame(a.connections[i], b.connections[i]);
  }
}

TEST(EnvelopeCodecTest, EnvelopeOfEachTopicAndActionComesBackAsItWas) {
  for (const WireEnvelope& sample : SampleEnvelopes()) {
    const auto decoded = DecodeEnvelope(EncodeEnvelope(sample));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->request, sample.request);
    EXPECT_EQ(decoded->wants_receipt, sample.wants_receipt);
    EXPECT_EQ(decoded->envelope.receipts, sample.envelope.receipts);
    EXPECT_EQ(decoded->envelope.to, sample.envelope.to);
    EXPECT_EQ(decoded->envelope.from, sample.envelope.from);
    EXPECT_TRUE(Same(decoded->envelope.action, sample.envelope.action))
        << "action " << sample.envelope.action.index() << " to " << KeyOf(sample.envelope.to);
  }
}

// Of a node of a later version.
TEST(EnvelopeCodecTest, APolicyOfTheSecondFieldThatIsUnknownLeavesWhatTheFirstSays) {
  for (const std::optional<SlowConsumerPolicy> first :
       {std::optional<SlowConsumerPolicy>(), std::optional(SlowConsumerPolicy::kDisconnect)}) {
    const Deliver deliver = {.frame = Frame::Make(Opcode::kText, "a"), .slow_consumer = first};
    wire::Envelope message;
    ASSERT_TRUE(message.ParseFromString(
        EncodeEnvelope({.envelope = {.to = RoomName{"lobby"}, .action = deliver}})));
    message.mutable_deliver()->set_slow_consumer_more(static_cast<wire::SlowConsumerMore>(7));
    const auto decoded = DecodeEnvelope(message.SerializeAsString());
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(std::get<Deliver>(decoded->envelope.action).slow_consumer, first);
  }
}

TEST(EnvelopeCodecTest, ReceiptComesBackAsItWas) {
  for (const WireReceipt& sample : SampleReceipts()) {
    const auto decoded = DecodeReceipt(EncodeReceipt(sample));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->request, sample.request);
    ExpectSame(decoded->receipt, sample.receipt);
  }
}

TEST(EnvelopeCodecTest, EveryStatusCodeComesBackAsItWas) {
  for (int code = 0; code <= 16; ++code) {
    const absl::Status plain(static_cast<absl::StatusCode>(code), "why");
    const auto decoded = DecodeReceipt(EncodeReceipt({.request = 1, .receipt = {.status = plain}}));
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    EXPECT_EQ(decoded->receipt.status, plain);
  }
}

TEST(EnvelopeCodecTest, EqualEnvelopesAreEqualOctets) {
  for (const WireEnvelope& sample : SampleEnvelopes()) {
    const std::string octets = EncodeEnvelope(sample);
    EXPECT_EQ(EncodeEnvelope(*DecodeEnvelope(octets)), octets);
  }
}

TEST(EnvelopeCodecTest, ConnectionThatNoNodeEverGaveCanBeLeftOut) {
  Exceptions except;
  except.connections.insert({.node = {.server_id = "x"}, .shard = UINT16_MAX});
  const Deliver deliver = {.frame = Frame::Make(Opcode::kText, "a"),
                           .except = std::make_shared<const Exceptions>(except)};
  const auto decoded = DecodeEnvelope(EncodeEnvelope({.envelope = {Everyone{}, deliver}}));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_TRUE(Same(decoded->envelope.action, deliver));
}

TEST(EnvelopeCodecTest, TimeOutsideTheCalendarBecomesTheNearestInside) {
  const Own own = {.client = {"a"}, .expires_at = absl::InfiniteFuture()};
  const auto decoded = DecodeEnvelope(EncodeEnvelope({.envelope = {Everyone{}, own}}));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(std::get<Own>(decoded->envelope.action).expires_at,
            absl::FromUnixSeconds(253402300800) - absl::Nanoseconds(1));
}

}  // namespace
}  // namespace wsrouter
