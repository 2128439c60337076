#ifndef WSROUTER_ENGINE_ENVELOPE_PAYLOAD_H_
#define WSROUTER_ENGINE_ENVELOPE_PAYLOAD_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wsrouter {

// The payload of an envelope on the wire: a field like others, but written and read in place,
// behind all others (wire.proto, Envelope.payload).

// At most what AppendPayload appends.
size_t PayloadBytes(std::string_view payload);
void AppendPayload(std::string_view payload, std::string& envelope);

struct SplitEnvelope {
  std::string_view head;  // all other fields
  std::optional<std::string_view> payload;
};

// Nothing where the octets are no protobuf, or something stands behind the payload.
std::optional<SplitEnvelope> SplitPayload(std::string_view octets);

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_ENVELOPE_PAYLOAD_H_
