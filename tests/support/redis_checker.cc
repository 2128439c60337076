#include "tests/support/redis_checker.h"

#include <hiredis/hiredis.h>

#include <map>
#include <memory>
#include <set>
#include <vector>

#include "core/ids.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

using Fields = std::map<std::string, std::string>;  // of a set: to ""; of a sorted set: to scores

std::vector<std::string> Ask(redisContext& context, const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  const std::unique_ptr<redisReply, void (*)(void*)> reply(
      static_cast<redisReply*>(
          redisCommandArgv(&context, static_cast<int>(words.size()), texts.data(), sizes.data())),
      freeReplyObject);
  if (reply == nullptr) return {"no answer"};
  if (reply->type != REDIS_REPLY_ARRAY) return {std::string(reply->str, reply->len)};
  std::vector<std::string> answer;
  for (size_t i = 0; i < reply->elements; ++i) {
    answer.emplace_back(reply->element[i]->str, reply->element[i]->len);
  }
  return answer;
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == '\0') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

std::string NodeOf(const std::string& connection) {
  const auto id = ConnectionId::Parse(connection);
  if (!id.has_value()) return "";
  return fmt::format("{}.{:016x}", id->node.server_id, id->node.incarnation);
}

// What Redis holds, read once, and what is wrong with it.
class Walk {
 public:
  Walk(const PrivateRedis& redis, std::string_view prefix)
      : context_(redisConnectUnix(redis.socket_path().c_str()), redisFree) {
    const std::string root = fmt::format("{{{}}}:", prefix);
    for (const std::string& key : Ask(*context_, {"KEYS", "*"})) {
      if (!key.starts_with(root)) continue;
      const std::string rest = key.substr(root.size());
      const size_t colon = rest.find(':');
      const std::string kind = rest.substr(0, colon);
      const std::string name = colon == std::string::npos ? "" : rest.substr(colon + 1);
      Read(key, kind, name);
    }
  }

  std::string Problems() {
    CheckIndexes();
    CheckOwners();
    CheckRooms();
    CheckCounts();
    return problems_;
  }

 private:
  void Say(const std::string& problem) {
    std::string line = problem;
    for (char& c : line) c = c == '\0' ? '|' : c;
    problems_ += line + "\n";
  }

  void Read(const std::string& key, const std::string& kind, const std::string& name) {
    static const std::map<std::string, std::string> kTypes = {
        {"client", "hash"},  {"room", "zset"},  {"roomclients", "hash"}, {"rooms", "zset"},
        {"counts", "hash"},  {"nodes", "zset"}, {"node", "hash"},        {"index", "set"},
        {"leftover", "set"}, {"gc", "string"},  {"sessions", "hash"},    {"spare", "string"}};
    const auto wanted = kTypes.find(kind);
    const std::string type = Ask(*context_, {"TYPE", key})[0];
    if (type == "none") return;  // its time ended since the keys were listed
    if (wanted == kTypes.end() || wanted->second != type) {
      return Say(fmt::format("{} is a {}", key, type));
    }
    Fields& fields = keys_[kind][name];
    if (type == "set") {
      for (const std::string& member : Ask(*context_, {"SMEMBERS", key})) fields[member] = "";
      return;
    }
    if (type == "string") return;
    const std::vector<std::string> flat =
        type == "hash" ? Ask(*context_, {"HGETALL", key})
                       : Ask(*context_, {"ZRANGE", key, "0", "-1", "WITHSCORES"});
    for (size_t i = 0; i + 1 < flat.size(); i += 2) fields[flat[i]] = flat[i + 1];
  }

  // Every index is a known node's, and every row in it is there.
  void CheckIndexes() {
    const Fields& nodes = keys_["nodes"][""];
    for (const std::string kind : {"index", "leftover"}) {
      for (const auto& [node, rows] : keys_[kind]) {
        if (!nodes.contains(node)) Say(fmt::format("{}:{} of an unknown node", kind, node));
        for (const auto& [row, none] : rows) CheckIndexed(node, row);
      }
    }
    for (const auto& [node, about] : keys_["node"]) {
      if (!nodes.contains(node)) Say(fmt::format("node:{} of an unknown node", node));
    }
    for (const auto& [node, ends] : nodes) {
      if (!keys_["node"].contains(node)) Say(fmt::format("no node:{}", node));
    }
  }

  void CheckIndexed(const std::string& node, const std::string& row) {
    const std::vector<std::string> parts = Split(row);
    if (!indexed_.insert(row).second) Say(fmt::format("{} is indexed twice", row));
    if (NodeOf(parts.back()) != node) Say(fmt::format("{} has {}", node, row));
    bool there = false;
    if (parts.size() == 3 && parts[0] == "c") {
      there = keys_["client"].contains(parts[1]) && keys_["client"][parts[1]].contains(parts[2]);
    } else if (parts.size() == 4 && parts[0] == "r") {
      const std::string member = parts[2] + '\0' + parts[3];
      there = keys_["room"].contains(parts[1]) && keys_["room"][parts[1]].contains(member);
    }
    if (!there) Say(fmt::format("{} is indexed and not there", row));
  }

  void CheckRow(const std::string& row) {
    if (!indexed_.contains(row)) Say(fmt::format("{} is there and not indexed", row));
  }

  void CheckOwners() {
    for (const auto& [client, connections] : keys_["client"]) {
      std::set<std::string> nodes;
      for (const auto& [connection, value] : connections) {
        CheckRow(std::string("c\0", 2) + client + '\0' + connection);
        ++counts_["connections"];
        ++counts_["connections:" + NodeOf(connection)];
        nodes.insert(NodeOf(connection));
        if (value.size() < 2) Say(fmt::format("{} has the value '{}'", connection, value));
      }
      ++counts_["clients"];
      for (const std::string& node : nodes) ++counts_["clients:" + node];
    }
  }

  void CheckRooms() {
    Fields rooms;
    for (const auto& [room, members] : keys_["room"]) {
      rooms[room] = "0";
      std::map<std::string, int> clients;
      for (const auto& [member, score] : members) {
        CheckRow(std::string("r\0", 2) + room + '\0' + member);
        ++clients[Split(member)[0]];
        ++counts_["memberships"];
        if (score != "0") Say(fmt::format("{} has the score {}", member, score));
      }
      Fields expected;
      for (const auto& [client, count] : clients) expected[client] = std::to_string(count);
      if (keys_["roomclients"][room] != expected) Say(fmt::format("roomclients:{}", room));
    }
    if (keys_["roomclients"].size() != rooms.size()) Say("roomclients of no room");
    if (keys_["rooms"][""] != rooms) Say("rooms are not those that have members");
  }

  void CheckCounts() {
    Fields expected;
    for (const auto& [field, count] : counts_) expected[field] = std::to_string(count);
    const Fields& found = keys_["counts"][""];
    if (found == expected) return;
    for (const auto& [field, count] : found) Say(fmt::format("counts {} {}", field, count));
    for (const auto& [field, count] : expected) Say(fmt::format("should be {} {}", field, count));
  }

  const std::unique_ptr<redisContext, void (*)(redisContext*)> context_;
  std::map<std::string, std::map<std::string, Fields>> keys_;  // by kind, then name
  std::set<std::string> indexed_;
  std::map<std::string, int> counts_;
  std::string problems_;
};

}  // namespace

std::string CheckRedis(const PrivateRedis& redis, std::string_view prefix) {
  return Walk(redis, prefix).Problems();
}

}  // namespace wsrouter
