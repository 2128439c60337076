#include "control/rpc.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "base/utf8.h"
#include "core/error.h"
#include "fmt/format.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/wire_format_lite.h"
#include "grpcpp/support/proto_buffer_reader.h"

namespace wsrouter {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// The path of the first string in an encoded message that is not UTF-8; empty where there is none.
// No message of the API contains itself, so the depth is bounded by the types.
std::string FindBadUtf8(const std::string& message, const Descriptor& type,
                        const std::string& prefix) {
  CodedInputStream in(reinterpret_cast<const uint8_t*>(message.data()),
                      static_cast<int>(message.size()));
  absl::flat_hash_map<int, int> seen;
  while (const uint32_t tag = in.ReadTag()) {
    const auto* field = type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
    const bool delimited =
        WireFormatLite::GetTagWireType(tag) == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
    const bool text = field != nullptr && field->type() == FieldDescriptor::TYPE_STRING;
    const bool nested = field != nullptr && field->type() == FieldDescriptor::TYPE_MESSAGE;
    if (!delimited || (!text && !nested)) {
      if (!WireFormatLite::SkipField(&in, tag)) return {};
      continue;
    }
    uint32_t size = 0;
    std::string value;
    if (!in.ReadVarint32(&size) || !in.ReadString(&value, static_cast<int>(size))) return {};
    const int place = seen[field->number()]++;
    const bool indexed = field->is_repeated() && !field->is_map();
    const std::string path = indexed ? fmt::format("{}{}[{}]", prefix, field->name(), place)
                                     : fmt::format("{}{}", prefix, field->name());
    if (text && !IsUtf8(value)) return path;
    if (!nested) continue;
    std::string inner = FindBadUtf8(value, *field->message_type(), path + ".");
    if (!inner.empty()) return inner;
  }
  return {};
}

std::string Joined(const grpc::ByteBuffer& octets) {
  std::vector<grpc::Slice> slices;
  std::string joined;
  if (!octets.Dump(&slices).ok()) return joined;
  for (const grpc::Slice& slice : slices) {
    joined.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return joined;
}

}  // namespace

absl::Status ParseRequest(const grpc::ByteBuffer& octets, google::protobuf::Message& request) {
  grpc::ByteBuffer shared = octets;  // the same slices; reading wants a buffer of its own
  grpc::ProtoBufferReader reader(&shared);
  if (request.ParseFromZeroCopyStream(&reader)) return absl::OkStatus();
  const std::string field = FindBadUtf8(Joined(octets), *request.GetDescriptor(), "");
  if (!field.empty()) return BadField(field, "FIELD_INVALID", "is not UTF-8");
  return Refusal(
      absl::StatusCode::kInvalidArgument, "FIELD_INVALID",
      fmt::format("the request is no message of type {}", request.GetDescriptor()->full_name()));
}

int MethodIndex(const char* service, const char* method) {
  return google::protobuf::DescriptorPool::generated_pool()
      ->FindServiceByName(service)
      ->FindMethodByName(method)
      ->index();
}

grpc::ByteBuffer SerializeResponse(const google::protobuf::Message& response) {
  const grpc::Slice slice(response.SerializeAsString());
  return grpc::ByteBuffer(&slice, 1);
}

}  // namespace wsrouter
