// A node's life in the cluster: its lease, and what becomes of its rows without one.
#include <optional>
#include <utility>

#include "engine/redis_answer.h"
#include "engine/redis_directory.h"
#include "engine/redis_keys.h"
#include "engine/redis_log_values.h"
#include "engine/redis_scripts.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// Bounds for how long one script keeps Redis from everybody else: about a millisecond.
constexpr int kRowsPerScript = 100;
// The log goes on for so many leases when no node is left that wants one.
constexpr int kLogKept = 10;

std::string Milliseconds(absl::Duration duration) {
  return fmt::format("{}", absl::ToInt64Milliseconds(duration));
}

bool IsOne(const RedisValue& answer) { return answer.integer() == 1; }

// A row as an index names it; see engine/lua/rows.lua.
std::optional<ReapedRow> ParseRow(std::string_view text) {
  const std::string_view kind = TakePart(text);
  std::optional<RoomName> room;
  if (kind == "r") room = RoomName{std::string(TakePart(text))};
  const std::string_view client = TakePart(text);
  auto connection = ConnectionId::Parse(text);
  if (!connection.has_value()) return std::nullopt;
  return ReapedRow{.connection = *std::move(connection),
                   .client = {std::string(client)},
                   .room = std::move(room)};
}

}  // namespace

void RedisDirectory::Heartbeat(Done<Lease> done) {
  Run(scripts::Heartbeat(),
      {self_, Milliseconds(options_.lease), draining_ ? "1" : "", LogWanted(options_.log),
       Milliseconds(kLogKept * options_.lease)},
      Answering<Lease>(std::move(done), [](const RedisValue& value) {
        return Lease{.held = NumberAt(value, 0) == 1, .rows = NumberAt(value, 1)};
      }));
}

void RedisDirectory::BeginRewrite(Done<bool> done) {
  ++rewrites_;
  Run(scripts::BeginRewrite(),
      {self_, Milliseconds(options_.lease), options_.self.version,
       fmt::format("{}", absl::ToUnixMillis(options_.self.started_at)), LogWanted(options_.log),
       Milliseconds(kLogKept * options_.lease)},
      Answering<bool>(std::move(done), IsOne));
}

void RedisDirectory::FinishRewrite(Done<uint64_t> done) { Sweep("leftover", 0, std::move(done)); }

void RedisDirectory::Resign(Done<uint64_t> done) { Sweep("all", 0, std::move(done)); }

void RedisDirectory::Sweep(std::string which, uint64_t removed, Done<uint64_t> done) {
  std::vector<std::string> arguments = {self_, fmt::format("{}", kRowsPerScript), which};
  Run(scripts::Sweep(), std::move(arguments),
      [this, which = std::move(which), removed, rewrite = rewrites_.load(),
       done = std::move(done)](absl::StatusOr<RedisValue> answer) mutable {
        if (!answer.ok()) return std::move(done)(DirectoryStatus(answer.status()));
        // What another rewrite has marked meanwhile is its own to sweep.
        if (rewrite != rewrites_) return std::move(done)(absl::CancelledError("begun anew"));
        removed += NumberAt(*answer, 1);
        if (NumberAt(*answer, 0) == 0) return std::move(done)(removed);
        Sweep(std::move(which), removed, std::move(done));
      });
}

void RedisDirectory::ReapStaleServers(Done<uint64_t> done) {
  Reap(absl::ZeroDuration(), 0, std::move(done));
}

void RedisDirectory::Collect(Done<uint64_t> done) { Reap(options_.gc_lease, 0, std::move(done)); }

void RedisDirectory::Reap(absl::Duration gc_lease, uint64_t reaped, Done<uint64_t> done) {
  Run(scripts::Reap(), {self_, fmt::format("{}", kRowsPerScript), Milliseconds(gc_lease)},
      [this, gc_lease, reaped, done = std::move(done)](absl::StatusOr<RedisValue> answer) mutable {
        if (!answer.ok()) return std::move(done)(DirectoryStatus(answer.status()));
        reaped += Report(*answer);
        if (NumberAt(*answer, 0) == 0) return std::move(done)(reaped);
        Reap(gc_lease, reaped, std::move(done));
      });
}

uint64_t RedisDirectory::Report(const RedisValue& answer) {
  std::vector<ReapedRow> rows;
  const auto& elements = answer.array();
  for (size_t i = 1; i < elements.size(); ++i) {
    if (auto row = ParseRow(elements[i].text())) rows.push_back(*std::move(row));
  }
  const uint64_t count = rows.size();
  if (count > 0 && on_reaped_) on_reaped_(rows);
  return count;
}

}  // namespace wsrouter
