// What can be asked of the directory in Redis.
#include <charconv>
#include <utility>

#include "engine/redis_answer.h"
#include "engine/redis_directory.h"
#include "engine/redis_keys.h"
#include "engine/redis_scripts.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// Consecutive rows of a client are one row with all its connections.
MembersPage ParseMembers(const RedisValue& answer) {
  MembersPage page;
  const auto& elements = answer.array();
  for (size_t i = 1; i < elements.size(); ++i) {
    std::string_view member = elements[i].text();
    const std::string_view client = TakePart(member);
    if (page.members.empty() || page.members.back().client.value != client) {
      page.members.push_back({.client = {std::string(client)}, .connections = {}});
    }
    auto connection = ConnectionId::Parse(member);
    if (connection.has_value()) {
      page.members.back().connections.push_back(*std::move(connection));
    }
  }
  if (NumberAt(answer, 0) == 1 && !page.members.empty()) {
    page.next_cursor = page.members.back().client.value;
  }
  return page;
}

RoomsPage ParseRooms(const RedisValue& answer) {
  RoomsPage page;
  const auto& elements = answer.array();
  for (size_t i = 1; i + 2 < elements.size(); i += 3) {
    page.rooms.push_back(
        {.room = {elements[i].text()},
         .size = {.members = NumberAt(answer, i + 1), .connections = NumberAt(answer, i + 2)}});
  }
  if (NumberAt(answer, 0) == 1 && !page.rooms.empty()) {
    page.next_cursor = page.rooms.back().room.value;
  }
  return page;
}

absl::Time ParseMilliseconds(std::string_view text) {
  int64_t milliseconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), milliseconds);
  return absl::FromUnixMillis(milliseconds);
}

std::vector<NodeRow> ParseNodes(const RedisValue& answer) {
  std::vector<NodeRow> nodes;
  const auto& elements = answer.array();
  for (size_t i = 0; i + 6 < elements.size(); i += 7) {
    auto node = ParseRedisNode(elements[i].text());
    if (!node.has_value()) continue;
    nodes.push_back(
        {.node = *std::move(node),
         .version = elements[i + 1].text(),
         .started_at = ParseMilliseconds(elements[i + 2].text()),
         .heartbeat_at = ParseMilliseconds(elements[i + 3].text()),
         .online = {.clients = NumberAt(answer, i + 5), .connections = NumberAt(answer, i + 6)},
         .draining = elements[i + 4].text() == "1"});
  }
  return nodes;
}

}  // namespace

void RedisDirectory::Client(const ClientId& client, Done<std::vector<ConnectionId>> done) {
  Run(scripts::Client(), {client.value},
      Answering<std::vector<ConnectionId>>(
          std::move(done), [](const RedisValue& answer) { return ConnectionsFrom(answer, 0); }));
}

void RedisDirectory::IsMember(const RoomName& room, const ClientId& client, Done<bool> done) {
  Run(scripts::IsMember(), {room.value, client.value},
      Answering<bool>(std::move(done),
                      [](const RedisValue& answer) { return answer.integer() == 1; }));
}

void RedisDirectory::Size(const RoomName& room, Done<RoomSize> done) {
  Run(scripts::Size(), {room.value},
      Answering<RoomSize>(std::move(done), [](const RedisValue& answer) {
        return RoomSize{.members = NumberAt(answer, 0), .connections = NumberAt(answer, 1)};
      }));
}

void RedisDirectory::Members(const RoomName& room, std::string_view cursor, uint32_t count,
                             Done<MembersPage> done) {
  Run(scripts::Members(), {room.value, std::string(cursor), fmt::format("{}", count)},
      Answering<MembersPage>(std::move(done), ParseMembers));
}

void RedisDirectory::Clients(const RoomName& room, uint32_t most, Done<RoomClients> done) {
  Run(scripts::Clients(), {room.value, fmt::format("{}", most)},
      Answering<RoomClients>(std::move(done), [](const RedisValue& answer) {
        RoomClients clients = {.count = NumberAt(answer, 0), .clients = {}};
        const auto& elements = answer.array();
        for (size_t i = 1; i < elements.size(); ++i) {
          clients.clients.push_back({elements[i].text()});
        }
        return clients;
      }));
}

void RedisDirectory::Rooms(std::string_view prefix, std::string_view cursor, uint32_t count,
                           Done<RoomsPage> done) {
  // A cursor below all names that begin with the prefix says nothing.
  if (cursor < prefix) cursor = {};
  Run(scripts::Rooms(), {std::string(prefix), std::string(cursor), fmt::format("{}", count)},
      Answering<RoomsPage>(std::move(done), ParseRooms));
}

void RedisDirectory::Count(Done<OnlineCount> done) {
  Run(scripts::Count(), {}, Answering<OnlineCount>(std::move(done), [](const RedisValue& answer) {
        return OnlineCount{.clients = NumberAt(answer, 0), .connections = NumberAt(answer, 1)};
      }));
}

void RedisDirectory::Nodes(Done<std::vector<NodeRow>> done) {
  Run(scripts::Nodes(), {}, Answering<std::vector<NodeRow>>(std::move(done), ParseNodes));
}

}  // namespace wsrouter
