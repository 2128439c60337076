#ifndef WSROUTER_ENGINE_WIRE_VALUES_H_
#define WSROUTER_ENGINE_WIRE_VALUES_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/envelope.h"
#include "core/ids.h"
#include "engine/wire.pb.h"
#include "fmt/format.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace wsrouter {

// What envelopes and receipts have in common: values of the core as protobuf and back.

using WireNames = google::protobuf::RepeatedPtrField<std::string>;
using WireLabels = google::protobuf::RepeatedPtrField<wire::Label>;
using WireConnections = google::protobuf::RepeatedPtrField<wire::Connection>;

// More than any node puts into one list; config.proto bounds what they come from.
inline constexpr int kWireNamesMax = 10'000;

// Which value of the core is which on the wire.
template <typename Core, typename Wire, size_t kSize>
using WireEnum = std::array<std::pair<Core, Wire>, kSize>;

template <typename Core, typename Wire, size_t kSize>
constexpr Wire ToWire(const WireEnum<Core, Wire, kSize>& table, Core value) {
  for (const auto& [core, wire] : table) {
    if (core == value) return wire;
  }
  return Wire{};
}

void WriteConnection(const ConnectionId& id, wire::Connection* to);
// Times beyond the years 1 to 9999 become the nearest of those; all are cut to whole nanoseconds.
void WriteTime(absl::Time time, wire::Time* to);
// `status` is not OK.
void WriteStatus(const absl::Status& status, wire::Status* to);
void WriteRooms(const std::vector<RoomName>& rooms, WireNames* to);
void WritePatterns(const std::vector<std::string>& patterns, WireNames* to);
void WriteLabels(const Labels& labels, WireLabels* to);

// Reads a message field by field into the core's types. What is wrong is remembered once, the first
// time, with the field's name; the values read after that are of no use.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : message_(message) {}

  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }
  void Fail(std::string_view field, std::string_view what);
  // `holds`, or else it fails.
  bool Require(bool holds, std::string_view field, std::string_view what) {
    if (!holds) Fail(field, what);
    return holds;
  }

  template <typename Name>
  Name ReadName(std::string_view field, const std::string& name) {
    CheckedName(field, name);
    return Name{name};
  }
  std::vector<RoomName> ReadRooms(std::string_view field, const WireNames& names);
  // Of names of rooms, and like these but that one may come twice.
  std::vector<std::string> ReadPatterns(std::string_view field, const WireNames& patterns);
  Labels ReadLabels(const WireLabels& labels);
  // A connection of some node.
  ConnectionId ReadConnection(std::string_view field, const wire::Connection& from);
  // What a service may take for a connection: such as no node ever gave, of no shard that exists.
  ConnectionId ReadSupposedConnection(std::string_view field, const wire::Connection& from);
  uint16_t ReadShard(std::string_view field, uint32_t shard);
  absl::Time ReadTime(std::string_view field, const wire::Time& from);
  absl::Status ReadStatus(std::string_view field, const wire::Status& from);
  CloseWith ReadClose(const wire::Close& from);

  template <typename Core, typename Wire, size_t kSize>
  Core ReadEnum(std::string_view field, const WireEnum<Core, Wire, kSize>& table, Wire value) {
    for (const auto& [core, wire] : table) {
      if (wire == value) return core;
    }
    Fail(field, fmt::format("has the unknown value {}", static_cast<int>(value)));
    return table.front().first;
  }

 private:
  void CheckedName(std::string_view field, const std::string& name);

  const std::string_view message_;
  absl::Status status_;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_WIRE_VALUES_H_
