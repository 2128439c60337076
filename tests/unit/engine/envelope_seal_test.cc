#include "engine/envelope_seal.h"

#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kSkew = absl::Seconds(30);
const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const SealKey kOld = {.id = "old", .secret = std::string(32, 'o')};
const SealKey kNew = {.id = "new", .secret = std::string(40, 'n')};

EnvelopeSeal SealOf(const std::string& server_id, const std::vector<SealKey>& keys) {
  return EnvelopeSeal({.server_id = server_id, .incarnation = 0xABCDEF0123456789}, keys, kSkew);
}

void ExpectRefused(EnvelopeSeal& seal, std::string_view message, absl::StatusCode code,
                   const std::string& why, absl::Time now = kNow) {
  const auto opened = seal.Open("ch", message, now);
  ASSERT_FALSE(opened.ok()) << why;
  EXPECT_EQ(opened.status().code(), code);
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr(why));
}

constexpr auto kUnproved = absl::StatusCode::kUnauthenticated;
constexpr auto kMalformed = absl::StatusCode::kInvalidArgument;

TEST(EnvelopeSealTest, OpensWhatWasSealed) {
  using namespace std::string_literals;
  for (const std::vector<SealKey>& keys : {std::vector<SealKey>{}, {kOld}, {kNew, kOld}}) {
    for (const std::string& body : {""s, "\0\xFF"s, std::string(100'000, 'x')}) {
      EnvelopeSeal sender = SealOf("gw-1", keys);
      EnvelopeSeal receiver = SealOf("gw-2", keys);
      const std::string message = sender.Seal("ch", body, kNow);
      const auto opened = receiver.Open("ch", message, kNow);
      ASSERT_TRUE(opened.ok()) << opened.status();
      EXPECT_EQ(opened->sender.server_id, "gw-1");
      EXPECT_EQ(opened->sender.incarnation, 0xABCDEF0123456789);
      EXPECT_EQ(opened->body, body);
    }
  }
}

TEST(EnvelopeSealTest, WhatWasKeptIsProvedHoweverOldAndHoweverOften) {
  EnvelopeSeal sender = SealOf("gw-1", {kOld});
  EnvelopeSeal receiver = SealOf("gw-2", {kNew, kOld});
  std::string message = sender.Seal("ch", "body", kNow - absl::Hours(1000));
  for (int i = 0; i < 2; ++i) {
    const auto body = receiver.OpenKept("ch", message);
    ASSERT_TRUE(body.ok()) << body.status();
    EXPECT_EQ(*body, "body");
  }
  EXPECT_EQ(receiver.OpenKept("other", message).status().code(), kUnproved);
  EXPECT_EQ(SealOf("gw-3", {kNew}).OpenKept("ch", message).status().code(), kUnproved);
  message.back() ^= 1;
  EXPECT_EQ(receiver.OpenKept("ch", message).status().code(), kUnproved);
  EXPECT_EQ(receiver.OpenKept("ch", "").status().code(), kMalformed);
}

TEST(EnvelopeSealTest, HeaderIsAsItIsDocumented) {
  using namespace std::string_literals;
  EnvelopeSeal seal = SealOf("gw", {});
  EXPECT_EQ(seal.Seal("ch", "body", absl::FromUnixMicros(0x0102)),
            "\x01\x00\x02gw\xAB\xCD\xEF\x01\x23\x45\x67\x89"s + "\0\0\0\0\0\0\0\x01"s +
                "\0\0\0\0\0\0\x01\x02"s + "body");
}

// The value is another implementation's, Python's hmac.
TEST(EnvelopeSealTest, ProofIsHmacSha256OfChannelAndMessage) {
  MessageProof proof(kOld);
  std::string hex;
  for (const uint8_t octet : proof.Of("ch", "message")) hex += fmt::format("{:02x}", octet);
  EXPECT_EQ(hex, "d7b53ad5b41102fff9b7d56cd8e0f7238c7b06eb7281a83fc86de61dcd9822cf");
}

TEST(EnvelopeSealTest, OwnMessagesAreOpenedLikeOthers) {
  EnvelopeSeal seal = SealOf("gw-1", {kOld});
  const std::string message = seal.Seal("ch", "body", kNow);
  EXPECT_TRUE(seal.Open("ch", message, kNow).ok());
  ExpectRefused(seal, message, absl::StatusCode::kOutOfRange, "comes behind 1");
}

TEST(EnvelopeSealTest, EveryOctetIsUnderTheProof) {
  const std::string message = SealOf("gw-1", {kOld}).Seal("ch", "body", kNow);
  EnvelopeSeal receiver = SealOf("gw-2", {kOld, kNew});
  for (size_t i = 0; i < message.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string flipped = message;
      flipped[i] = static_cast<char>(flipped[i] ^ (1 << bit));
      EXPECT_FALSE(receiver.Open("ch", flipped, kNow).ok()) << i;
    }
  }
  for (size_t size = 0; size < message.size(); ++size) {
    EXPECT_FALSE(receiver.Open("ch", message.substr(0, size), kNow).ok()) << size;
  }
  EXPECT_FALSE(receiver.Open("ch", message + '\0', kNow).ok());
  EXPECT_TRUE(receiver.Open("ch", message, kNow).ok()) << "what was refused used up no sequence";
}

TEST(EnvelopeSealTest, ChannelIsUnderTheProof) {
  EnvelopeSeal sender = SealOf("gw-1", {kOld});
  EnvelopeSeal receiver = SealOf("gw-2", {kOld});
  ExpectRefused(receiver, sender.Seal("c", "hbody", kNow), kUnproved, "proof under key old");
  ExpectRefused(receiver, sender.Seal("", "body", kNow), kUnproved, "proof under key old");
}

TEST(EnvelopeSealTest, FormIsChecked) {
  EnvelopeSeal seal = SealOf("gw", {});
  const std::string message = seal.Seal("ch", "", kNow);
  for (size_t size = 0; size < message.size(); ++size) {
    ExpectRefused(seal, message.substr(0, size), kMalformed, "ends inside");
  }
  ExpectRefused(seal, "\x02" + message.substr(1), kMalformed, "version 2, want 1");
  ExpectRefused(seal, "\x01\x11" + std::string(100, 'a'), kMalformed, "key id has 17 octets");
  std::string bad = message;
  bad[4] = '\n';
  ExpectRefused(seal, bad, kMalformed, "server_id");
  bad = message;
  bad[20] = 0;
  ExpectRefused(seal, bad, kMalformed, "sequence is 0");
}

TEST(EnvelopeSealTest, WithKeysWhatCarriesNoProofIsRefused) {
  EnvelopeSeal receiver = SealOf("gw-2", {kOld});
  ExpectRefused(receiver, SealOf("gw-1", {}).Seal("ch", "", kNow), kUnproved, "no proof");
}

TEST(EnvelopeSealTest, WithoutKeysOnlyTheFormAndTheSequenceCount) {
  EnvelopeSeal receiver = SealOf("gw-2", {});
  EnvelopeSeal sender = SealOf("gw-1", {kOld});
  for (const absl::Time now : {kNow, kNow, kNow + absl::Hours(1)}) {
    const std::string message = sender.Seal("ch", "body", kNow);
    const auto opened = receiver.Open("other", message, now);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(opened->body, "body");
    EXPECT_TRUE(absl::IsOutOfRange(receiver.Open("other", message, now).status()));
  }
}

TEST(EnvelopeSealTest, KeysRotateWithoutLoss) {
  const std::vector<std::vector<SealKey>> steps = {{kOld}, {kOld, kNew}, {kNew, kOld}, {kNew}};
  for (size_t step = 1; step < steps.size(); ++step) {
    EnvelopeSeal before = SealOf("gw-1", steps[step - 1]);
    EnvelopeSeal after = SealOf("gw-2", steps[step]);
    EXPECT_TRUE(after.Open("ch", before.Seal("ch", "", kNow), kNow).ok()) << step;
    EXPECT_TRUE(before.Open("ch", after.Seal("ch", "", kNow), kNow).ok()) << step;
  }
}

TEST(EnvelopeSealTest, KeyThatIsNotInTheRingIsRefused) {
  EnvelopeSeal receiver = SealOf("gw-2", {kNew});
  ExpectRefused(receiver, SealOf("gw-1", {kOld}).Seal("ch", "", kNow), kUnproved, "under a key");
  const SealKey other = {.id = "new", .secret = std::string(40, 'x')};
  ExpectRefused(receiver, SealOf("gw-1", {other}).Seal("ch", "", kNow), kUnproved, "is wrong");
}

TEST(EnvelopeSealTest, MessageFarFromNowIsRefused) {
  EnvelopeSeal sender = SealOf("gw-1", {kOld});
  EnvelopeSeal receiver = SealOf("gw-2", {kOld});
  const absl::Duration tick = absl::Microseconds(1);
  ExpectRefused(receiver, sender.Seal("ch", "", kNow - kSkew - tick), kUnproved, "s old");
  ExpectRefused(receiver, sender.Seal("ch", "", kNow + kSkew + tick), kUnproved, "in the future");
  EXPECT_TRUE(receiver.Open("ch", sender.Seal("ch", "", kNow - kSkew), kNow).ok());
  EXPECT_TRUE(receiver.Open("ch", sender.Seal("ch", "", kNow + kSkew), kNow).ok());
}

TEST(EnvelopeSealTest, WhatComesAgainOrBehindWhatWasSentLaterIsRefused) {
  for (const std::vector<SealKey>& keys : {std::vector<SealKey>{}, {kOld}}) {
    EnvelopeSeal sender = SealOf("gw-1", keys);
    EnvelopeSeal receiver = SealOf("gw-2", keys);
    const std::string first = sender.Seal("ch", "", kNow);
    const std::string second = sender.Seal("ch", "", kNow);
    const std::string third = sender.Seal("ch", "", kNow);
    EXPECT_TRUE(receiver.Open("ch", first, kNow).ok());
    EXPECT_TRUE(receiver.Open("ch", third, kNow).ok());
    ExpectRefused(receiver, third, absl::StatusCode::kOutOfRange, "comes behind 3");
    ExpectRefused(receiver, second, absl::StatusCode::kOutOfRange, "comes behind 3");
    ExpectRefused(receiver, first, absl::StatusCode::kOutOfRange, "comes behind 3");
  }
}

TEST(SenderSequencesTest, LargestNumberIsGoodOnceAndTheLast) {
  SenderSequences sequences(1);
  EXPECT_TRUE(sequences.Admit({"a", 1}, UINT64_MAX).ok());
  EXPECT_FALSE(sequences.Admit({"a", 1}, UINT64_MAX).ok());
  EXPECT_FALSE(sequences.Admit({"a", 1}, UINT64_MAX - 1).ok());
}

TEST(SenderSequencesTest, SenderNotHeardOfForLongestIsForgotten) {
  SenderSequences sequences(2);
  EXPECT_TRUE(sequences.Admit({"a", 1}, 5).ok());
  EXPECT_TRUE(sequences.Admit({"a", 2}, 5).ok()) << "another incarnation is another sender";
  EXPECT_FALSE(sequences.Admit({"a", 1}, 5).ok());
  EXPECT_TRUE(sequences.Admit({"b", 1}, 5).ok());
  EXPECT_FALSE(sequences.Admit({"a", 1}, 5).ok());
  EXPECT_TRUE(sequences.Admit({"a", 2}, 5).ok()) << "it was forgotten";
}

TEST(EnvelopeSealTest, RemembersSendersUpToItsBound) {
  EnvelopeSeal receiver = SealOf("gw", {kOld});
  const std::string first = SealOf("first", {kOld}).Seal("ch", "", kNow);
  EXPECT_TRUE(receiver.Open("ch", first, kNow).ok());
  for (size_t i = 1; i < EnvelopeSeal::kSendersMax; ++i) {
    const std::string other = SealOf(std::to_string(i), {kOld}).Seal("ch", "", kNow);
    ASSERT_TRUE(receiver.Open("ch", other, kNow).ok());
  }
  ExpectRefused(receiver, first, absl::StatusCode::kOutOfRange, "comes behind 1");
  for (const char* other : {"x", "y"}) {
    EXPECT_TRUE(receiver.Open("ch", SealOf(other, {kOld}).Seal("ch", "", kNow), kNow).ok());
  }
  ExpectRefused(receiver, first, absl::StatusCode::kOutOfRange, "comes behind 1");
}

}  // namespace
}  // namespace wsrouter
