#include "engine/envelope_payload.h"

#include "engine/wire.pb.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"

namespace wsrouter {
namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;
using google::protobuf::io::CodedOutputStream;

constexpr uint32_t kPayloadTag =
    wire::Envelope::kPayloadFieldNumber << 3 | WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
constexpr size_t kPayloadHeadBytesMax = 6;  // the tag and a length of 31 bits

}  // namespace

size_t PayloadBytes(std::string_view payload) { return kPayloadHeadBytesMax + payload.size(); }

void AppendPayload(std::string_view payload, std::string& envelope) {
  uint8_t head[kPayloadHeadBytesMax];
  uint8_t* end = CodedOutputStream::WriteTagToArray(kPayloadTag, head);
  end = CodedOutputStream::WriteVarint32ToArray(static_cast<uint32_t>(payload.size()), end);
  envelope.append(reinterpret_cast<const char*>(head), static_cast<size_t>(end - head));
  envelope.append(payload);
}

std::optional<SplitEnvelope> SplitPayload(std::string_view octets) {
  if (octets.size() > INT32_MAX) return std::nullopt;
  CodedInputStream stream(reinterpret_cast<const uint8_t*>(octets.data()),
                          static_cast<int>(octets.size()));
  while (true) {
    const auto start = static_cast<size_t>(stream.CurrentPosition());
    const uint32_t tag = stream.ReadTag();
    if (tag == 0) {
      if (!stream.ConsumedEntireMessage()) return std::nullopt;
      return SplitEnvelope{octets, std::nullopt};
    }
    if (tag == kPayloadTag) {
      uint32_t size = 0;
      if (!stream.ReadVarint32(&size)) return std::nullopt;
      const std::string_view payload = octets.substr(static_cast<size_t>(stream.CurrentPosition()));
      if (payload.size() != size) return std::nullopt;
      return SplitEnvelope{octets.substr(0, start), payload};
    }
    if (!WireFormatLite::SkipField(&stream, tag)) return std::nullopt;
  }
}

}  // namespace wsrouter
