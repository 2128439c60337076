// Octets from a channel are refused or read, as an envelope, as a receipt and as a sealed message;
// what was read must be fit to be written, and then read as the same.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>

#include "engine/envelope_codec.h"
#include "engine/envelope_seal.h"

namespace wsrouter {
namespace {

void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "violated: " << what << '\n';
  std::abort();
}

void CheckEnvelope(std::string_view octets) {
  const auto envelope = DecodeEnvelope(octets);
  if (!envelope.ok()) {
    return Require(absl::IsInvalidArgument(envelope.status()), "a bad envelope is an argument");
  }
  const std::string written = EncodeEnvelope(*envelope);
  const auto again = DecodeEnvelope(written);
  Require(again.ok(), "an envelope that was read can be written and read");
  Require(EncodeEnvelope(*again) == written, "an envelope is the same when it was read again");
}

void CheckReceipt(std::string_view octets) {
  const auto receipt = DecodeReceipt(octets);
  if (!receipt.ok()) {
    return Require(absl::IsInvalidArgument(receipt.status()), "a bad receipt is an argument");
  }
  const std::string written = EncodeReceipt(*receipt);
  const auto again = DecodeReceipt(written);
  Require(again.ok(), "a receipt that was read can be written and read");
  Require(EncodeReceipt(*again) == written, "a receipt is the same when it was read again");
}

void CheckSealed(std::string_view message) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const SealKey key = {.id = "k", .secret = std::string(32, 's')};
  EnvelopeSeal open({.server_id = "gw-1", .incarnation = 1}, {}, absl::Seconds(30));
  const auto opened = open.Open("ch", message, now);
  if (opened.ok()) {
    Require(opened->body.empty() ||
                (opened->body.data() >= message.data() &&
                 opened->body.data() + opened->body.size() <= message.data() + message.size()),
            "a body is a part of its message");
    CheckEnvelope(opened->body);
    CheckReceipt(opened->body);
  }
  EnvelopeSeal closed({.server_id = "gw-1", .incarnation = 1}, {key}, absl::Seconds(30));
  Require(!closed.Open("ch", message, now).ok(), "nobody guesses a proof");
  const std::string sealed = closed.Seal("ch", message, now);
  const auto own = closed.Open("ch", sealed, now);
  Require(own.ok() && own->body == message, "what was sealed can be opened");
  Require(!closed.Open("ch", sealed, now).ok(), "a message is good once");
}

}  // namespace
}  // namespace wsrouter

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace wsrouter;
  const std::string_view octets(reinterpret_cast<const char*>(data), size);
  CheckEnvelope(octets);
  CheckReceipt(octets);
  CheckSealed(octets);
  return 0;
}
