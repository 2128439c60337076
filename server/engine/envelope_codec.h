#ifndef WSROUTER_ENGINE_ENVELOPE_CODEC_H_
#define WSROUTER_ENGINE_ENVELOPE_CODEC_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/envelope.h"
#include "core/receipt.h"

namespace wsrouter {

// An envelope on its way between nodes.
struct WireEnvelope {
  Envelope envelope;
  uint64_t request = 0;        // the sender's number for it; a receipt names it
  bool wants_receipt = false;  // to be sent to the inbox of `sender` (in the seal)
};
struct WireReceipt {
  uint64_t request = 0;
  Receipt receipt;
};

// Protobuf (server/engine/wire.proto), which is internal: nodes of one version, and of the next
// one, understand each other; nobody else is promised anything. Decoding takes any octets; what
// cannot be understood is InvalidArgument. AnnouncePending and Reassert never leave a node: an
// envelope with one of them must not be encoded, and none comes out of decoding.
//
// What is addressed must be of a shard below kShardsMax, or no node reads it. Exceptions without an
// entry are the same as none.
std::string EncodeEnvelope(const WireEnvelope& wire);
absl::StatusOr<WireEnvelope> DecodeEnvelope(std::string_view octets);
std::string EncodeReceipt(const WireReceipt& wire);
absl::StatusOr<WireReceipt> DecodeReceipt(std::string_view octets);

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_ENVELOPE_CODEC_H_
