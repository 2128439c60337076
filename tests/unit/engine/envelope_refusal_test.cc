// What DecodeEnvelope and DecodeReceipt must not let in.
#include <random>
#include <string>

#include "core/limits.h"
#include "engine/envelope_codec.h"
#include "engine/wire.pb.h"
#include "gmock/gmock.h"
#include "tests/support/sample_envelopes.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;

// Both ways to read octets; what they let in must be fit to be written again.
void DecodeBoth(std::string_view octets) {
  const auto envelope = DecodeEnvelope(octets);
  if (envelope.ok()) {
    EXPECT_TRUE(DecodeEnvelope(EncodeEnvelope(*envelope)).ok());
  } else {
    EXPECT_EQ(envelope.status().code(), absl::StatusCode::kInvalidArgument);
  }
  const auto receipt = DecodeReceipt(octets);
  if (receipt.ok()) {
    EXPECT_TRUE(DecodeReceipt(EncodeReceipt(*receipt)).ok());
  } else {
    EXPECT_EQ(receipt.status().code(), absl::StatusCode::kInvalidArgument);
  }
}

std::vector<std::string> Encodings() {
  std::vector<std::string> all;
  for (const Action& action : SampleActions()) {
    std::string octets = EncodeEnvelope({.envelope = {.to = SampleTopics()[0], .action = action}});
    if (octets.size() < 4096) all.push_back(std::move(octets));
  }
  for (const WireReceipt& receipt : SampleReceipts()) all.push_back(EncodeReceipt(receipt));
  return all;
}

TEST(EnvelopeRefusalTest, EveryPrefixIsReadOrRefused) {
  for (const std::string& octets : Encodings()) {
    for (size_t size = 0; size < octets.size(); ++size) DecodeBoth(octets.substr(0, size));
  }
}

TEST(EnvelopeRefusalTest, EveryOctetMayBeAnother) {
  for (const std::string& octets : Encodings()) {
    for (size_t i = 0; i < octets.size(); ++i) {
      for (const int flip : {0x01, 0x02, 0x04, 0x08, 0x10, 0x40, 0x80, 0xFF}) {
        std::string mutated = octets;
        mutated[i] = static_cast<char>(mutated[i] ^ flip);
        DecodeBoth(mutated);
      }
    }
  }
}

TEST(EnvelopeRefusalTest, RandomOctetsAreReadOrRefused) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::string octets(random() % 64, '\0');
    for (char& octet : octets) octet = static_cast<char>(random());
    DecodeBoth(octets);
  }
}

TEST(EnvelopeRefusalTest, ActionsOfOneNodeDoNotComeFromOthers) {
  for (const Action& action : {Action(AnnouncePending{}), Action(Reassert{})}) {
    EXPECT_FALSE(DecodeEnvelope(EncodeEnvelope({.envelope = {Everyone{}, action}})).ok());
  }
}

TEST(EnvelopeRefusalTest, PayloadIsTheLastField) {
  const std::string octets =
      EncodeEnvelope({.envelope = {Everyone{}, ToChannel{Frame::Make(Opcode::kText, "abc")}}});
  ASSERT_TRUE(
      octets.ends_with("\x7A\x03"
                       "abc"));
  EXPECT_TRUE(DecodeEnvelope(octets).ok());
  EXPECT_FALSE(DecodeEnvelope(octets + std::string("\x08\x01")).ok());
  EXPECT_FALSE(DecodeEnvelope(octets.substr(0, octets.size() - 5)).ok());
  const std::string release = EncodeEnvelope({.envelope = {Everyone{}, Release{}}});
  EXPECT_FALSE(DecodeEnvelope(release + "\x7A\x03"
                                        "abc")
                   .ok());
}

// `change` makes of a good envelope one that is refused with a message that says `why`.
template <typename Change>
void ExpectRefused(const Action& action, Change change, std::string_view why) {
  wire::Envelope message;
  ASSERT_TRUE(message.ParseFromString(
      EncodeEnvelope({.envelope = {.to = SampleTopics()[0], .action = action}})));
  ASSERT_TRUE(DecodeEnvelope(message.SerializeAsString()).ok());
  change(message);
  const auto decoded = DecodeEnvelope(message.SerializeAsString());
  ASSERT_FALSE(decoded.ok()) << why;
  EXPECT_EQ(decoded.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(decoded.status().message()), HasSubstr(std::string(why)));
}

TEST(EnvelopeRefusalTest, TopicIsCheckedFieldByField) {
  const Action action = Release{};
  const auto refused = [&](auto change, std::string_view why) {
    ExpectRefused(
        action, [&](wire::Envelope& m) { change(*m.mutable_to()); }, why);
  };
  refused([](wire::Topic& to) { to.Clear(); }, "to of the envelope is missing");
  refused([](wire::Topic& to) { to.set_inbox(kShardsMax); }, "to.inbox");
  refused([](wire::Topic& to) { to.set_client(""); }, "to.client");
  refused([](wire::Topic& to) { to.set_room("a\n"); }, "to.room");
  refused([](wire::Topic& to) { to.set_channel("\xFF"); }, "to.channel");
  refused([](wire::Topic& to) { to.set_room(std::string(256, 'x')); }, "to.room");
  refused([](wire::Topic& to) { to.mutable_connection()->set_shard(256); }, "to.connection");
  refused([](wire::Topic& to) { to.mutable_connection()->clear_server_id(); }, "to.connection");
}

TEST(EnvelopeRefusalTest, ActionIsCheckedFieldByField) {
  const Deliver deliver = {.frame = Frame::Make(Opcode::kText, "a")};
  ExpectRefused(
      deliver, [](auto& m) { m.mutable_deliver()->clear_opcode(); }, "opcode");
  ExpectRefused(
      deliver, [](auto& m) { m.mutable_deliver()->set_opcode(static_cast<wire::Opcode>(8)); },
      "opcode of the envelope has the unknown value 8");
  ExpectRefused(
      deliver,
      [](auto& m) { m.mutable_deliver()->set_slow_consumer(static_cast<wire::SlowConsumer>(3)); },
      "deliver.slow_consumer");
  ExpectRefused(
      deliver, [](auto& m) { m.mutable_deliver()->add_except_clients(); }, "except");
  ExpectRefused(
      deliver, [](auto& m) { m.mutable_deliver()->set_conflation_key(std::string(65, 'k')); },
      "deliver.conflation_key");
  ExpectRefused(
      deliver, [](auto& m) { m.clear_receipts(); }, "receipts");
  const Own own = {.client = {"a"}, .rooms = {{"lobby"}}};
  ExpectRefused(
      own, [](auto& m) { m.mutable_own()->clear_on_duplicate(); }, "own.on_duplicate");
  ExpectRefused(
      own, [](auto& m) { m.mutable_own()->add_rooms("lobby"); }, "twice");
  ExpectRefused(
      own, [](auto& m) { m.mutable_own()->mutable_expires_at()->set_nanos(1'000'000'000); },
      "own.expires_at");
  ExpectRefused(
      own, [](auto& m) { m.mutable_own()->mutable_expires_at()->set_seconds(INT64_MAX); },
      "own.expires_at");
  ExpectRefused(
      Release{}, [](auto& m) { m.mutable_release()->mutable_close(); }, "close.code");
  const Disconnect end = {{.code = 4021}};
  for (const uint32_t code : {0u, 999u, 1005u, 1006u, 5000u, 65536u + 1000u}) {
    ExpectRefused(
        end, [&](auto& m) { m.mutable_disconnect()->set_code(code); }, "close.code");
  }
  ExpectRefused(
      end, [](auto& m) { m.mutable_disconnect()->set_reason(std::string(124, 'x')); },
      "close.reason");
  ExpectRefused(
      end, [](auto& m) { m.mutable_disconnect()->set_reason("\xFF"); }, "close.reason");
  ExpectRefused(
      Describe{}, [](auto& m) { m.mutable_describe()->set_count(kPageMax + 1); }, "count");
  ExpectRefused(
      Describe{}, [](auto& m) { m.mutable_describe()->add_clients("a\nb"); }, "describe.clients");
  ExpectRefused(
      Describe{},
      [](auto& m) {
        for (uint32_t i = 0; i <= kPageMax; ++i) m.mutable_describe()->add_clients("a");
      },
      "describe.clients");
}

TEST(EnvelopeRefusalTest, LabelsAreWithinTheirLimits) {
  const auto refused = [](int count, const std::string& key, const std::string& value) {
    ExpectRefused(
        Own{.client = {"a"}},
        [&](wire::Envelope& message) {
          for (int i = 0; i < count; ++i) {
            wire::Label* label = message.mutable_own()->add_labels();
            label->set_key(count < 3 ? key : key + std::to_string(i));
            label->set_value(value);
          }
        },
        "labels");
  };
  refused(33, "a", "");
  refused(2, "a", "");
  refused(1, "", "a");
  refused(1, "a", std::string(1024, 'x'));
  refused(1, "a\n", "");
  refused(1, "a", "\xFF");
}

TEST(EnvelopeRefusalTest, ReceiptIsCheckedFieldByField) {
  const auto refused = [](auto change, std::string_view why) {
    wire::Receipt message;
    ASSERT_TRUE(message.ParseFromString(EncodeReceipt(SampleReceipts()[0])));
    change(message);
    const auto decoded = DecodeReceipt(message.SerializeAsString());
    ASSERT_FALSE(decoded.ok()) << why;
    EXPECT_THAT(std::string(decoded.status().message()), HasSubstr(std::string(why)));
  };
  refused([](wire::Receipt& m) { m.mutable_status()->set_code(0); }, "status");
  refused([](wire::Receipt& m) { m.mutable_status()->set_code(17); }, "status");
  refused([](wire::Receipt& m) { m.mutable_rooms(0)->clear_room(); }, "rooms.room");
  refused([](wire::Receipt& m) { m.mutable_rooms(0)->clear_result(); }, "rooms.result");
  refused([](wire::Receipt& m) { m.mutable_rooms(0)->mutable_refusal(); }, "rooms.refusal");
  refused([](wire::Receipt& m) { m.mutable_displaced(0)->set_shard(256); }, "displaced");
  refused([](wire::Receipt& m) { m.mutable_connections(0)->clear_id(); }, "connections.id");
  refused([](wire::Receipt& m) { m.mutable_connections(0)->set_client("\n"); }, "connections.cl");
  refused([](wire::Receipt& m) { m.mutable_connections(0)->add_rooms("lobby"); }, "twice");
}

}  // namespace
}  // namespace wsrouter
