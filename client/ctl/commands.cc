#include "commands.h"

#include <google/protobuf/util/json_util.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "fmt/format.h"

namespace wsrouter::ctl {
namespace {

using client::BackendClient;
using Row = std::vector<std::string>;

// Text from outside must not steer the terminal.
std::string Plain(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  return text;
}

void PrintTable(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += i + 1 < row.size() ? fmt::format("{:<{}}  ", row[i], widths[i]) : row[i];
    }
    fmt::print("{}\n", Plain(std::move(line)));
  }
}

std::string Json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string text;
  (void)google::protobuf::util::MessageToJsonString(message, &text, options);
  return text;
}

// The answer as JSON, or what `table` makes of it.
template <typename Response, typename Table>
absl::Status Show(const absl::StatusOr<Response>& answer, Output output, Table table) {
  if (!answer.ok()) return answer.status();
  if (output.json) {
    fmt::print("{}\n", Json(*answer));
  } else {
    table(*answer);
  }
  fflush(stdout);
  return absl::OkStatus();
}

void WarnIfPartial(bool partial) {
  if (partial) fmt::print(stderr, "wsrouterctl: a part of the cluster could not be asked\n");
}

void PrintNodes(const v1::NodesResponse& answer) {
  std::vector<Row> rows = {
      {"NODE", "VERSION", "CLIENTS", "CONNECTIONS", "STATE", "SELF", "INCARNATION"}};
  for (const v1::NodeInfo& node : answer.nodes()) {
    rows.push_back({node.server_id(), node.version(), std::to_string(node.clients()),
                    std::to_string(node.connections()), node.draining() ? "draining" : "serving",
                    node.self() ? "*" : "", node.incarnation()});
  }
  PrintTable(rows);
  WarnIfPartial(answer.partial());
}

void PrintStats(const v1::StatsResponse& answer) {
  std::vector<Row> rows = {{"FIGURE", "VALUE"}};
  for (const auto& [name, value] : answer.gauges())
    rows.push_back({name, fmt::format("{}", value)});
  for (const auto& [name, value] : answer.counters()) rows.push_back({name, std::to_string(value)});
  std::sort(rows.begin() + 1, rows.end());
  PrintTable(rows);
}

}  // namespace

absl::Status Nodes(BackendClient& node, Output output) {
  return Show(node.Nodes(), output, PrintNodes);
}

absl::Status Stats(BackendClient& node, Output output) {
  return Show(node.Stats(), output, PrintStats);
}

absl::Status Rooms(BackendClient& node, Output output, const std::string& prefix) {
  v1::RoomsRequest request;
  request.set_prefix(prefix);
  v1::RoomsResponse all;
  do {
    const absl::StatusOr<v1::RoomsResponse> page = node.Rooms(request);
    if (!page.ok()) return page.status();
    all.mutable_rooms()->MergeFrom(page->rooms());
    all.set_partial(all.partial() || page->partial());
    request.set_cursor(page->next_cursor());
  } while (!request.cursor().empty());
  return Show(absl::StatusOr<v1::RoomsResponse>(all), output, [](const v1::RoomsResponse& answer) {
    std::vector<Row> rows = {{"MEMBERS", "CONNECTIONS", "ROOM"}};
    for (const v1::RoomInfo& room : answer.rooms()) {
      rows.push_back(
          {std::to_string(room.members()), std::to_string(room.connections()), room.room()});
    }
    PrintTable(rows);
    WarnIfPartial(answer.partial());
  });
}

absl::Status Members(BackendClient& node, Output output, const std::string& room) {
  v1::MembersRequest request;
  request.set_room(room);
  request.set_include_connections(true);
  v1::MembersResponse all;
  do {
    const absl::StatusOr<v1::MembersResponse> page = node.Members(request);
    if (!page.ok()) return page.status();
    all.mutable_members()->MergeFrom(page->members());
    all.set_partial(all.partial() || page->partial());
    request.set_cursor(page->next_cursor());
  } while (!request.cursor().empty());
  return Show(
      absl::StatusOr<v1::MembersResponse>(all), output, [](const v1::MembersResponse& answer) {
        std::vector<Row> rows = {{"CLIENT", "CONNECTIONS"}};
        for (const v1::Member& member : answer.members()) {
          rows.push_back({member.client_id(), std::to_string(member.connection_ids_size())});
        }
        PrintTable(rows);
        WarnIfPartial(answer.partial());
      });
}

absl::Status History(BackendClient& node, Output output, const std::string& room, int count) {
  v1::HistoryRequest request;
  request.set_room(room);
  request.set_limit(static_cast<uint32_t>(count));
  request.set_reverse(true);
  absl::StatusOr<v1::HistoryResponse> page = node.History(request);
  if (page.ok()) std::reverse(page->mutable_entries()->begin(), page->mutable_entries()->end());
  return Show(page, output, [](const v1::HistoryResponse& answer) {
    std::vector<Row> rows = {{"OFFSET", "SENT", "FROM", "PAYLOAD"}};
    for (const v1::HistoryEntry& entry : answer.entries()) {
      rows.push_back(
          {std::to_string(entry.offset()),
           absl::FormatTime(absl::FromUnixSeconds(entry.sent_at().seconds()), absl::UTCTimeZone()),
           entry.from_client_id(),
           entry.payload().has_text() ? entry.payload().text()
                                      : fmt::format("{} octets", entry.payload().binary().size())});
    }
    PrintTable(rows);
  });
}

absl::Status Top(BackendClient& node, Output output, double seconds, int times) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable nothing;  // what ends it is a signal
  for (int i = 0; times == 0 || i < times; ++i) {
    if (i > 0) nothing.wait_for(lock, std::chrono::duration<double>(seconds));
    const absl::StatusOr<v1::NodesResponse> nodes = node.Nodes();
    if (!nodes.ok()) return nodes.status();
    // From the upper left corner of an empty screen, where there is one.
    if (!output.json && times != 1) fmt::print("\x1B[H\x1B[2J");
    if (absl::Status shown = Show(nodes, output, PrintNodes); !shown.ok()) return shown;
    if (output.json) continue;
    fmt::print("\n");
    if (absl::Status shown = Stats(node, output); !shown.ok()) return shown;
  }
  return absl::OkStatus();
}

absl::Status Watch(BackendClient& node, Output output, int count) {
  std::mutex mutex;
  std::condition_variable changed;
  int seen = 0;
  std::optional<absl::Status> end;
  client::WatchHandlers handlers;
  handlers.on_event = [&](const v1::Event& event) {
    const std::lock_guard lock(mutex);
    if (end) return;
    if (output.json) {
      fmt::print("{}\n", Json(event));
    } else {
      fmt::print("{}\n", Plain(fmt::format(
                             "{:<12}  {}  {}  {}", v1::EventKind_Name(event.kind()).substr(11),
                             event.server_id(), event.connection_id(), event.client_id())));
    }
    fflush(stdout);
    if (++seen == count) end = absl::OkStatus();
    changed.notify_all();
  };
  handlers.stream.on_missed = [](uint64_t missed) {
    fmt::print(stderr, "wsrouterctl: {} events were missed\n", missed);
  };
  handlers.stream.on_down = [&](const absl::Status& cause, std::optional<absl::Duration>) {
    const std::lock_guard lock(mutex);
    if (!end) end = cause;
    changed.notify_all();
  };
  const auto stream = node.Watch({}, std::move(handlers));
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return end.has_value(); });
  const absl::Status status = *end;
  lock.unlock();  // a handler may wait for it
  stream->Stop();
  return status;
}

absl::Status Send(BackendClient& node, Output output, To to, const std::string& name,
                  const std::string& text) {
  const client::Payload payload = client::Payload::Text(text);
  switch (to) {
    case To::kClient:
      return Show(node.SendToClient({.client_id = name, .payload = payload}), output,
                  [](const v1::SendToClientResponse& answer) {
                    fmt::print("delivered to {} connections{}\n", answer.delivered(),
                               answer.owner_missing() ? ": nobody is this client" : "");
                  });
    case To::kRoom:
      return Show(node.Push({.rooms = {name}, .payload = payload}), output,
                  [](const v1::PushResponse& answer) {
                    for (const v1::RoomOutcome& room : answer.rooms()) {
                      fmt::print("delivered to {} of {} connections\n", room.outcome().queued(),
                                 room.outcome().matched());
                    }
                  });
    case To::kEveryone:
      break;
  }
  return Show(node.PushAll({.payload = payload}), output, [](const v1::PushAllResponse& answer) {
    fmt::print("delivered to {} of {} connections\n", answer.outcome().queued(),
               answer.outcome().matched());
  });
}

absl::Status Drain(BackendClient& node, Output output, double seconds) {
  const std::optional<absl::Duration> window =
      seconds < 0 ? std::nullopt : std::optional(absl::Seconds(seconds));
  return Show(node.Drain(window), output, [](const v1::DrainResponse& answer) {
    fmt::print("draining {} connections\n", answer.connections());
  });
}

absl::Status Undrain(BackendClient& node, Output output) {
  return Show(node.Undrain(), output,
              [](const v1::UndrainResponse&) { fmt::print("takes clients again\n"); });
}

}  // namespace wsrouter::ctl
