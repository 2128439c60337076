// What must hold: of every push, and of the whole cluster when nothing happens any more.
#include <algorithm>
#include <array>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "tests/contract/awaiting.h"
#include "tests/integration/cluster_model.h"
#include "tests/support/eventually.h"
#include "tests/support/redis_checker.h"

namespace wsrouter {
namespace {

template <typename Value, typename Ask>
absl::StatusOr<Value> Answer(Ask ask) {
  Awaited<absl::StatusOr<Value>> answer;
  ask(answer.Take());
  return answer.Wait();
}

std::string_view NameIn(std::string_view topic) { return topic.substr(topic.find(' ') + 1); }

Topic TopicOf(const std::string& topic) {
  if (topic.starts_with("room ")) return RoomName{std::string(NameIn(topic))};
  return ClientId{std::string(NameIn(topic))};
}

}  // namespace

bool ClusterModel::Addresses(const std::string& topic, const State& state) {
  const std::string name(NameIn(topic));
  return topic.starts_with("room ") ? state.rooms.contains(name) : state.name == name;
}
bool ClusterModel::MayAddress(const std::string& topic, const Client& client) {
  const auto addresses = [&](const State& state) { return Addresses(topic, state); };
  return addresses(client.state) || std::ranges::any_of(client.perhaps, addresses);
}
bool ClusterModel::MustAddress(const std::string& topic, const Client& client) {
  const auto addresses = [&](const State& state) { return Addresses(topic, state); };
  return addresses(client.state) && std::ranges::all_of(client.perhaps, addresses);
}

std::vector<Receipt> ClusterModel::PushMany(const std::string& topic, size_t count,
                                            Receipts receipts) {
  const size_t via = Below(sites_.size());
  const size_t first = pushes_.size();
  Push push = {.topic = topic};
  for (const auto& [id, client] : clients_) {
    if (MayAddress(topic, client)) push.may_get.insert(id);
  }
  std::vector<Awaited<Receipt>> answers(count);
  for (Awaited<Receipt>& answer : answers) {
    const std::string text = std::to_string(pushes_.size());
    Note(fmt::format("n{} pushes {} to {}", via, text, topic));
    pushes_.push_back(push);
    sites_[via].node->engine().broker().Publish(
        {.to = TopicOf(topic), .action = TextOf(text), .receipts = receipts}, answer.Take());
  }
  std::vector<Receipt> got;
  for (Awaited<Receipt>& answer : answers) {
    const Receipt& receipt = got.emplace_back(answer.Wait());
    Push& pushed = pushes_[first + got.size() - 1];
    pushed.answered = receipt.status.ok();
    pushed.settled = pushed.answered && !receipt.partial && receipts == Receipts::kRouted;
  }
  return got;
}

void ClusterModel::PushWhole(const std::string& topic, bool at_rest) {
  if (!wrong_.empty()) return;
  std::set<size_t> sites;
  for (const auto& [id, client] : clients_) {
    if (MustAddress(topic, client)) sites.insert(client.site);
  }
  Receipt last;
  const bool whole = Eventually(
      [&] {
        const std::string text = std::to_string(pushes_.size());
        last = PushMany(topic, 1, Receipts::kRouted)[0];
        if (!last.status.ok() || last.partial) return false;
        CheckReached(topic, text, last);
        // A channel is given up some time after the last who wanted it is gone.
        return !at_rest || last.nodes == sites.size();
      },
      absl::Seconds(5));
  if (whole) return;
  Wrong(fmt::format("a push to {} says {}, partial {}, {} nodes, and {} nodes have members", topic,
                    last.status.ToString(), last.partial, last.nodes, sites.size()));
}

void ClusterModel::CheckReached(const std::string& topic, const std::string& text,
                                const Receipt& receipt) {
  uint64_t least = 0;
  uint64_t most = 0;
  for (const auto& [id, client] : clients_) {
    if (MayAddress(topic, client)) ++most;
    if (!MustAddress(topic, client)) continue;
    ++least;
    if (std::ranges::count(NodeOf(client).shard().Got(id), text) != 1) {
      Wrong(fmt::format("{} did not get push {} to {}", id.ToString(), text, topic));
    }
  }
  if (receipt.queued < least || receipt.queued > most || receipt.queued != receipt.matched) {
    Wrong(fmt::format("push {} to {} matched {} and queued {}, wanted {} to {}", text, topic,
                      receipt.matched, receipt.queued, least, most));
  }
}

// Nothing twice, nothing that was for others, in the order in which it was pushed.
void ClusterModel::CheckGot(const ConnectionId& id, const Client& client) {
  std::set<size_t> seen;
  std::map<std::string, size_t> last;
  for (const std::string& text : NodeOf(client).shard().Got(id)) {
    const size_t number = std::stoull(text);
    const Push& push = pushes_.at(number);
    const std::string what = fmt::format("{} got push {} to {}", id.ToString(), text, push.topic);
    if (!seen.insert(number).second) Wrong(what + " twice");
    // One that was not settled may come when somebody has joined meanwhile.
    if (push.settled ? !push.may_get.contains(id) : !client.ever.contains(push.topic)) {
      Wrong(what + ", which was for others");
    }
    if (!push.answered) continue;
    if (number < last[push.topic]) Wrong(fmt::format("{} behind {}", what, last[push.topic]));
    last[push.topic] = number;
  }
}

void ClusterModel::AtRest() {
  Heal();
  // Leases that ended are noticed by the next heartbeat; crashed nodes by the next collection.
  std::string difference;
  if (!Eventually([&] { return (difference = Difference()).empty(); }, absl::Seconds(5))) {
    return Wrong(difference);
  }
  for (auto& [id, client] : clients_) client.perhaps.clear();
  for (const std::string_view name : kClientNames) PushWhole(fmt::format("client {}", name), true);
  for (const std::string_view name : kRoomNames) PushWhole(fmt::format("room {}", name), true);
  if (!wrong_.empty()) return;
  for (const auto& [id, client] : clients_) CheckGot(id, client);
  for (size_t i = 0; i < sites_.size(); ++i) {
    if (!Eventually([&] { return (difference = CountersDiffer(sites_[i], i)).empty(); },
                    absl::Seconds(2))) {
      Wrong(difference);
    }
  }
}

// How the cluster differs from the model; nothing when it does not.
std::string ClusterModel::Difference() {
  for (const Site& site : sites_) {
    if (!site.node->engine().up()) return site.node->id().server_id + " is not up";
  }
  for (auto& [id, client] : clients_) {
    if (std::string problem = SettlePerhaps(id, client); !problem.empty()) return problem;
  }
  for (const Site& site : sites_) {
    if (std::string problem = NodesDiffer(*site.node); !problem.empty()) return problem;
  }
  ClusterNode& any = *sites_[0].node;
  for (auto differ :
       {&ClusterModel::CountsDiffer, &ClusterModel::ClientsDiffer, &ClusterModel::RoomsDiffer}) {
    if (std::string problem = (this->*differ)(any); !problem.empty()) return problem;
  }
  return CheckRedis(redis_, "test");
}

// Its shard knows what it is; that must be one of the things that it may be.
std::string ClusterModel::SettlePerhaps(const ConnectionId& id, Client& client) {
  const Receipt receipt = NodeOf(client).Do(id, Describe{});
  if (receipt.connections.size() != 1) return id.ToString() + " is lost";
  const ConnectionDescription& about = receipt.connections[0];
  State found = {.name = about.client.value};
  for (const RoomName& room : about.rooms) found.rooms.insert(room.value);
  const auto is_found = [&](const State& state) {
    return state.name == found.name && state.rooms == found.rooms;
  };
  if (!is_found(client.state) && std::ranges::none_of(client.perhaps, is_found)) {
    return fmt::format("{} is {} in {}, wanted {} in {}", id.ToString(), found.name,
                       fmt::join(found.rooms, " "), client.state.name,
                       fmt::join(client.state.rooms, " "));
  }
  client.state = found;
  return "";
}

std::string ClusterModel::NodesDiffer(ClusterNode& node) {
  const auto rows = node.Nodes();
  if (!rows.ok()) return rows.status().ToString();
  if (rows->size() != sites_.size()) return fmt::format("{} nodes are listed", rows->size());
  for (const NodeRow& row : *rows) {
    std::multiset<std::string> names;
    for (const auto& [id, client] : clients_) {
      if (id.node == row.node && !client.state.name.empty()) names.insert(client.state.name);
    }
    const std::set<std::string> distinct(names.begin(), names.end());
    if (row.online.connections != names.size() || row.online.clients != distinct.size()) {
      return fmt::format("{} counts {} connections and {} clients, wanted {} and {}",
                         row.node.server_id, row.online.connections, row.online.clients,
                         names.size(), distinct.size());
    }
  }
  return "";
}

std::string ClusterModel::CountsDiffer(ClusterNode& node) {
  const auto online = node.Online();
  if (!online.ok()) return online.status().ToString();
  std::multiset<std::string> names;
  for (const auto& [id, client] : clients_) {
    if (!client.state.name.empty()) names.insert(client.state.name);
  }
  const std::set<std::string> distinct(names.begin(), names.end());
  if (online->connections == names.size() && online->clients == distinct.size()) return "";
  return fmt::format("{} connections of {} clients are counted, wanted {} of {}",
                     online->connections, online->clients, names.size(), distinct.size());
}

std::string ClusterModel::ClientsDiffer(ClusterNode& node) {
  for (const std::string_view name : kClientNames) {
    auto listed = Answer<std::vector<ConnectionId>>(
        [&](auto done) { node.engine().directory().Client({std::string(name)}, std::move(done)); });
    if (!listed.ok()) return listed.status().ToString();
    std::vector<ConnectionId> wanted;
    for (const auto& [id, client] : clients_) {
      if (client.state.name == name) wanted.push_back(id);
    }
    std::ranges::sort(*listed);
    if (*listed == wanted) continue;
    return fmt::format("{} has {} connections, listed are {}", name, wanted.size(), listed->size());
  }
  return "";
}

std::string ClusterModel::RoomsDiffer(ClusterNode& node) {
  for (const std::string_view room : kRoomNames) {
    const auto page = Answer<MembersPage>([&](auto done) {
      node.engine().directory().Members({std::string(room)}, "", kPageMax, std::move(done));
    });
    if (!page.ok()) return page.status().ToString();
    std::map<std::string, std::set<std::string>> wanted;
    for (const auto& [id, client] : clients_) {
      if (client.state.rooms.contains(std::string(room))) {
        wanted[client.state.name].insert(id.ToString());
      }
    }
    std::map<std::string, std::set<std::string>> listed;
    for (const MemberRow& row : page->members) {
      for (const ConnectionId& id : row.connections) listed[row.client.value].insert(id.ToString());
    }
    if (listed != wanted) return fmt::format("{} has {}, listed are {}", room, wanted, listed);
  }
  return "";
}

std::string ClusterModel::CountersDiffer(const Site& site, size_t index) {
  uint64_t open = 0;
  uint64_t owned = 0;
  uint64_t joined = 0;
  uint64_t got = site.got;
  for (const auto& [id, client] : clients_) {
    if (client.site != index) continue;
    ++open;
    if (!client.state.name.empty()) ++owned;
    joined += client.state.rooms.size();
    got += site.node->shard().Got(id).size();
  }
  struct Law {
    std::string_view what;
    uint64_t counted;
    uint64_t wanted;
  };
  const auto total = [&](Counter counter) { return site.node->Total(counter); };
  const std::array<Law, 7> laws = {{
      {"opened", total(Counter::kConnectionsOpened), open + site.closed},
      {"closed", total(Counter::kConnectionsClosed), site.closed},
      {"owned", total(Counter::kOwns) - total(Counter::kReleases), owned},
      {"joined", total(Counter::kRoomJoins) - total(Counter::kRoomLeaves), joined},
      {"queued", total(Counter::kPushes), got},
      {"not understood",
       total(Counter::kEnvelopesUndecodable) + total(Counter::kHmacVerifyFailures), 0},
      {"repairs", may_repair_ ? 0 : total(Counter::kDirectoryRepairs), 0},
  }};
  for (const Law& law : laws) {
    if (law.counted == law.wanted) continue;
    return fmt::format("n{} counts {} {}, wanted {}", index, law.counted, law.what, law.wanted);
  }
  return "";
}

}  // namespace wsrouter
