#include "engine/redis_log_values.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "engine/wire_values.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr std::array<std::pair<LogKind, std::string_view>, 10> kKinds = {{
    {LogKind::kConnected, "connected"},
    {LogKind::kReleased, "released"},
    {LogKind::kDisconnected, "disconnected"},
    {LogKind::kJoined, "joined"},
    {LogKind::kLeft, "left"},
    {LogKind::kOccupied, "occupied"},
    {LogKind::kVacated, "vacated"},
    {LogKind::kSlow, "slow"},
    {LogKind::kResumed, "resumed"},
    {LogKind::kMessage, "message"},
}};
// `superseded`, `stopping`, `lost` and `unknown` are also said by scripts.
constexpr std::array<std::pair<CloseCause, std::string_view>, 13> kCauses = {{
    {CloseCause::kClientClosed, "closed"},
    {CloseCause::kConnectionLost, "connection_lost"},
    {CloseCause::kProtocolError, "protocol_error"},
    {CloseCause::kNotAuthenticated, "not_authenticated"},
    {CloseCause::kExpired, "expired"},
    {CloseCause::kSlowConsumer, "slow_consumer"},
    {CloseCause::kIdle, "idle"},
    {CloseCause::kSuperseded, "superseded"},
    {CloseCause::kDisconnected, "disconnected"},
    {CloseCause::kNodeStopping, "stopping"},
    {CloseCause::kNodeLost, "lost"},
    {CloseCause::kRefused, "refused"},
    {CloseCause::kRateLimited, "rate_limited"},
}};
constexpr std::string_view kUnknown = "unknown";

// The fields of an entry; see engine/lua/rows.lua.
constexpr std::string_view kKindField = "k";
constexpr std::string_view kClientField = "c";
constexpr std::string_view kConnectionField = "n";
constexpr std::string_view kRoomField = "r";
constexpr std::string_view kEndingField = "e";
constexpr std::string_view kPreviousField = "p";
constexpr std::string_view kLabelsField = "l";
constexpr std::string_view kOffsetField = "o";
constexpr std::string_view kEpochField = "h";
constexpr std::string_view kIdField = "i";
constexpr std::string_view kDeliveriesField = "d";

template <typename Table, typename Value>
std::string_view TextOf(const Table& table, Value value) {
  const auto found = std::ranges::find(table, value, [](const auto& row) { return row.first; });
  return found == table.end() ? kUnknown : found->second;
}

Ending EndingFrom(std::string_view text) {
  Ending ending;
  const size_t space = text.find(' ');
  if (space == std::string_view::npos) return ending;
  ending.gone = true;
  const auto cause =
      std::ranges::find(kCauses, text.substr(0, space), [](const auto& row) { return row.second; });
  if (cause != kCauses.end()) ending.cause = cause->first;
  uint32_t code = 0;
  (void)absl::SimpleAtoi(AbslView(text.substr(space + 1)), &code);
  ending.code = static_cast<uint16_t>(code);
  return ending;
}

Labels LabelsFrom(std::string_view text) {
  wire::Labels labels;
  if (!labels.ParseFromArray(text.data(), static_cast<int>(text.size()))) return {};
  return WireReader("log entry").ReadLabels(labels.labels());
}

std::string_view Field(const RedisValue::Array& words, size_t first, std::string_view name) {
  for (size_t i = first; i + 1 < words.size(); i += 2) {
    if (words[i].text() == name) return words[i + 1].text();
  }
  return {};
}

Position PositionFrom(std::string_view offset, std::string_view epoch) {
  Position position = {.offset = 0, .epoch = std::string(epoch)};
  (void)absl::SimpleAtoi(AbslView(offset), &position.offset);
  return position;
}

}  // namespace

std::string EndingText(const Ending& ending) {
  if (!ending.gone) return "";
  const std::string_view cause =
      ending.cause.has_value() ? TextOf(kCauses, *ending.cause) : kUnknown;
  return fmt::format("{} {}", cause, ending.code);
}

std::string LabelsText(const Labels& labels) {
  if (labels.empty()) return "";
  wire::Labels text;
  WriteLabels(labels, text.mutable_labels());
  return text.SerializeAsString();
}

std::string_view LogKindText(LogKind kind) { return TextOf(kKinds, kind); }

uint64_t LogPartitionMax(const EventLogOptions& options) {
  return std::max<uint64_t>(options.entries_max / options.partitions, 1);
}

std::string LogWanted(const EventLogOptions& options) {
  if (!options.on) return "";
  return fmt::format("{} {}", options.partitions, LogPartitionMax(options));
}

std::optional<LogEntry> LogEntryFrom(const RedisValue::Array& words, size_t first,
                                     std::string_view partition, std::string_view id) {
  const auto kind = std::ranges::find(kKinds, Field(words, first, kKindField),
                                      [](const auto& row) { return row.second; });
  auto connection = ConnectionId::Parse(Field(words, first, kConnectionField));
  if (kind == kKinds.end()) return std::nullopt;
  if (kind->first == LogKind::kMessage) connection.emplace();
  if (!connection.has_value()) return std::nullopt;
  LogEntry entry = {.id = std::string(Field(words, first, kIdField)),
                    .kind = kind->first,
                    .at = absl::UnixEpoch(),
                    .client = {std::string(Field(words, first, kClientField))},
                    .connection = *std::move(connection),
                    .room = {std::string(Field(words, first, kRoomField))},
                    .ending = EndingFrom(Field(words, first, kEndingField)),
                    .previous = ConnectionId::Parse(Field(words, first, kPreviousField)),
                    .labels = LabelsFrom(Field(words, first, kLabelsField)),
                    .position = PositionFrom(Field(words, first, kOffsetField),
                                             Field(words, first, kEpochField))};
  if (entry.id.empty()) entry.id = fmt::format("{}-{}", partition, id);
  // "<partition>-<milliseconds>-<number>": the time is Redis'.
  std::string_view time = entry.id;
  time.remove_prefix(std::min(time.size(), time.find('-') + 1));
  int64_t milliseconds = 0;
  (void)absl::SimpleAtoi(AbslView(time.substr(0, time.find('-'))), &milliseconds);
  entry.at = absl::FromUnixMillis(milliseconds);
  return entry;
}

uint64_t DeliveriesFrom(const RedisValue::Array& words, size_t first) {
  uint64_t deliveries = 0;
  (void)absl::SimpleAtoi(AbslView(Field(words, first, kDeliveriesField)), &deliveries);
  return deliveries;
}

}  // namespace wsrouter
