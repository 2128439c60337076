#include "engine/wire_values.h"

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "base/strings.h"
#include "base/utf8.h"
#include "core/close_code.h"
#include "core/error.h"
#include "core/limits.h"

namespace wsrouter {
namespace {

constexpr int64_t kSecondsMin = -62135596800;  // year 1
constexpr int64_t kSecondsMax = 253402300799;  // the last of year 9999
constexpr uint32_t kNanosMax = 999'999'999;
constexpr uint32_t kStatusCodeMax = static_cast<uint32_t>(absl::StatusCode::kUnauthenticated);

}  // namespace

void WriteConnection(const ConnectionId& id, wire::Connection* to) {
  to->set_server_id(id.node.server_id);
  to->set_incarnation(id.node.incarnation);
  to->set_shard(id.shard);
  to->set_counter(id.counter);
}

void WriteTime(absl::Time time, wire::Time* to) {
  const absl::Time last = absl::FromUnixSeconds(kSecondsMax) + absl::Nanoseconds(kNanosMax);
  time = std::clamp(time, absl::FromUnixSeconds(kSecondsMin), last);
  const int64_t seconds = absl::ToUnixSeconds(time);
  to->set_seconds(seconds);
  const absl::Duration behind = time - absl::FromUnixSeconds(seconds);
  to->set_nanos(static_cast<uint32_t>(absl::ToInt64Nanoseconds(behind)));
}

void WriteStatus(const absl::Status& status, wire::Status* to) {
  to->set_code(static_cast<uint32_t>(status.code()));
  to->set_message(std::string(StdView(status.message())));
  to->set_reason(ReasonOf(status));
}

void WriteRooms(const std::vector<RoomName>& rooms, WireNames* to) {
  to->Reserve(static_cast<int>(rooms.size()));
  for (const RoomName& room : rooms) *to->Add() = room.value;
}

void WritePatterns(const std::vector<std::string>& patterns, WireNames* to) {
  for (const std::string& pattern : patterns) *to->Add() = pattern;
}

void WriteLabels(const Labels& labels, WireLabels* to) {
  for (const auto& [key, value] : labels) {
    wire::Label* label = to->Add();
    label->set_key(key);
    label->set_value(value);
  }
}

void WireReader::Fail(std::string_view field, std::string_view what) {
  if (!status_.ok()) return;
  status_ = absl::InvalidArgumentError(fmt::format("{} of the {} {}", field, message_, what));
}

void WireReader::CheckedName(std::string_view field, const std::string& name) {
  const absl::Status checked = CheckName(field, name);
  if (!checked.ok()) {
    Fail(field, fmt::format("cannot be a name: {}", StdView(checked.message())));
  }
}

std::vector<RoomName> WireReader::ReadRooms(std::string_view field, const WireNames& names) {
  std::vector<RoomName> rooms;
  if (!Require(names.size() <= kWireNamesMax, field, "has too many entries")) return rooms;
  rooms.reserve(static_cast<size_t>(names.size()));
  absl::flat_hash_set<std::string_view, StringHash> seen;
  for (const std::string& name : names) {
    if (!Require(seen.insert(name).second, field, "has an entry twice")) break;
    rooms.push_back(ReadName<RoomName>(field, name));
  }
  return rooms;
}

std::vector<std::string> WireReader::ReadPatterns(std::string_view field,
                                                  const WireNames& patterns) {
  std::vector<std::string> read;
  if (!Require(patterns.size() <= kWireNamesMax, field, "has too many entries")) return read;
  for (const std::string& pattern : patterns) {
    read.push_back(ReadName<RoomName>(field, pattern).value);
  }
  return read;
}

Labels WireReader::ReadLabels(const WireLabels& from) {
  Labels labels;
  const auto count = static_cast<uint32_t>(from.size());
  if (!Require(count <= kLabelsMax, "labels", "has too many entries")) return labels;
  for (const wire::Label& label : from) {
    Require(!label.key().empty(), "labels", "has an empty key");
    Require(label.key().size() + label.value().size() <= kLabelBytesMax, "labels",
            "has an entry that is too long");
    Require(IsPlainText(label.key()) && IsPlainText(label.value()), "labels",
            "has an entry that is not UTF-8 without control characters");
    Require(labels.emplace(label.key(), label.value()).second, "labels", "has a key twice");
  }
  return labels;
}

ConnectionId WireReader::ReadConnection(std::string_view field, const wire::Connection& from) {
  ReadShard(field, from.shard());
  return ReadSupposedConnection(field, from);
}

ConnectionId WireReader::ReadSupposedConnection(std::string_view field,
                                                const wire::Connection& from) {
  CheckedName(field, from.server_id());
  Require(from.shard() <= UINT16_MAX, field, "has a shard of more than 16 bits");
  return {.node = {.server_id = from.server_id(), .incarnation = from.incarnation()},
          .shard = static_cast<uint16_t>(from.shard()),
          .counter = from.counter()};
}

uint16_t WireReader::ReadShard(std::string_view field, uint32_t shard) {
  if (shard >= kShardsMax) {
    Fail(field, fmt::format("has the shard {}, want less than {}", shard, kShardsMax));
    return 0;
  }
  return static_cast<uint16_t>(shard);
}

absl::Time WireReader::ReadTime(std::string_view field, const wire::Time& from) {
  if (!Require(from.seconds() >= kSecondsMin && from.seconds() <= kSecondsMax &&
                   from.nanos() <= kNanosMax,
               field, "is no time of the years 1 to 9999")) {
    return absl::UnixEpoch();
  }
  return absl::FromUnixSeconds(from.seconds()) + absl::Nanoseconds(int64_t{from.nanos()});
}

absl::Status WireReader::ReadStatus(std::string_view field, const wire::Status& from) {
  if (!Require(from.code() > 0 && from.code() <= kStatusCodeMax, field, "has an unknown code")) {
    return {};
  }
  const auto code = static_cast<absl::StatusCode>(from.code());
  if (!from.reason().empty()) return Refusal(code, from.reason(), from.message());
  return absl::Status(code, from.message());
}

CloseWith WireReader::ReadClose(const wire::Close& from) {
  Require(MayCloseWith(from.code()), "close.code", "is none that a node may be asked to send");
  Require(from.reason().size() <= kCloseReasonBytesMax, "close.reason", "is too long");
  Require(IsUtf8(from.reason()), "close.reason", "is not UTF-8");
  return {.code = static_cast<uint16_t>(from.code()), .reason = from.reason()};
}

}  // namespace wsrouter
