// The steps: what clients and services do to a cluster, and what becomes of the model.
#include "tests/integration/cluster_model.h"

#include <algorithm>
#include <iterator>

#include "core/error.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "tests/support/eventually.h"

namespace wsrouter {
namespace {

constexpr size_t kSitesMax = 3;
constexpr size_t kSteps = 60;

bool HasOneConnection(const std::string& name) { return name == "s" || name == "S"; }

// Whether the connection's node has answered, or Redis says that no node heard the question.
bool IsAnswer(const Receipt& receipt) {
  const std::string reason = ReasonOf(receipt.status);
  return reason != "BROKER_UNAVAILABLE" && reason != "NODE_SILENT";
}

bool IsDone(const Receipt& receipt) {
  return receipt.status.ok() && receipt.matched > 0 &&
         std::ranges::count(receipt.rooms, RoomChange::Result::kRefused, &RoomChange::result) == 0;
}

}  // namespace

ClusterModel::ClusterModel(uint64_t seed) : random_(seed) {
  sites_.resize(1 + Below(kSitesMax));
  for (size_t i = 0; i < sites_.size(); ++i) Start(i);
  AwaitUp();
}

std::string ClusterModel::Run() {
  for (size_t step = 0; step < kSteps && wrong_.empty(); ++step) Step();
  if (wrong_.empty()) AtRest();
  return wrong_;
}

std::string ClusterModel::History() const {
  return fmt::format("{} nodes: {}", sites_.size(), fmt::join(history_, ", "));
}

void ClusterModel::Wrong(const std::string& what) {
  if (wrong_.empty()) wrong_ = what;
}

size_t ClusterModel::Below(size_t bound) {
  return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
}
std::string ClusterModel::Name() { return std::string(kClientNames[Below(kClientNames.size())]); }
std::string ClusterModel::Room() { return std::string(kRoomNames[Below(kRoomNames.size())]); }

ClusterModel::Clients::iterator ClusterModel::AnyClient() {
  return std::next(clients_.begin(), static_cast<ptrdiff_t>(Below(clients_.size())));
}

void ClusterModel::Step() {
  if (!calm_ && Below(4) == 0) return Heal();
  const size_t what = Below(100);
  if (what < 18 || clients_.empty()) return Open();
  if (what < 24) return Close(AnyClient());
  if (what < 78) return ChangeSomebody();
  if (what < 93) return PushSomewhere();
  Fault();
}

void ClusterModel::ChangeSomebody() {
  const auto found = AnyClient();
  if (!found->second.perhaps.empty()) return;
  const size_t what = Below(54);
  if (what < 19) return Own(*found);
  if (what < 39) return Join(*found);
  if (what < 48) return Leave(*found);
  Release(*found);
}

void ClusterModel::Open() {
  const size_t site = Below(sites_.size());
  Note(fmt::format("open at n{}", site));
  clients_[sites_[site].node->shard().Open()].site = site;
}

// `after`: what the client is when it is done.
void ClusterModel::Ask(Entry& entry, std::string_view what, Action action, const State& after) {
  auto& [id, client] = entry;
  const size_t via = Below(sites_.size());
  ClusterNode& node = *sites_[via].node;
  Note(fmt::format("n{}: {} {}", via, id.ToString(), what));
  client.ever.insert("client " + after.name);
  for (const std::string& room : after.rooms) client.ever.insert("room " + room);
  // A node answers for its own connections, whatever is at fault elsewhere.
  const bool remote = via != client.site && !dead_;
  if (paused_ || (remote && (sites_[via].cut || sites_[client.site].cut))) {
    node.engine().broker().Publish({.to = id, .action = std::move(action)}, [](const Receipt&) {});
    client.perhaps = {client.state, after};
    return;
  }
  const Receipt receipt = node.Do(id, std::move(action));
  if (remote && !IsAnswer(receipt)) {
    client.perhaps = {client.state, after};
  } else if (IsDone(receipt)) {
    client.state = after;
  }
}

void ClusterModel::Own(Entry& entry) {
  const Client& client = entry.second;
  const bool again = !client.state.name.empty() && Below(2) == 0;
  State after = client.state;
  after.name = again ? client.state.name : Name();
  if (HasOneConnection(after.name)) return OwnAlone(entry, after.name);
  Ask(entry, "is " + after.name, wsrouter::Own{.client = {after.name}}, after);
}

void ClusterModel::Join(Entry& entry) {
  const std::string room = Room();
  State after = entry.second.state;
  after.rooms.insert(room);
  Ask(entry, "joins " + room, wsrouter::Join{.rooms = {{room}}}, after);
}

void ClusterModel::Leave(Entry& entry) {
  const std::string room = Room();
  State after = entry.second.state;
  after.rooms.erase(room);
  Ask(entry, "leaves " + room, wsrouter::Leave{.rooms = {{room}}}, after);
}

void ClusterModel::Release(Entry& entry) { Ask(entry, "is released", wsrouter::Release{}, {}); }

// The others of this client must go. Where that cannot be told to all of them, or an answer may be
// lost, which of them is left is not the model's to know.
void ClusterModel::OwnAlone(Entry& entry, const std::string& name) {
  auto& [id, client] = entry;
  const auto unclear = [&](const Entry& other) {
    return !other.second.perhaps.empty() && MayAddress("client " + name, other.second);
  };
  if (!calm_ || paused_ || std::ranges::any_of(clients_, unclear)) return;
  Note(fmt::format("{} owns {} alone", name, id.ToString()));
  const Receipt receipt = NodeOf(client).Own(id, name, {}, OnDuplicate::kReplace);
  may_repair_ = may_repair_ || ReasonOf(receipt.status) == "DIRECTORY_UNAVAILABLE";
  if (!IsDone(receipt)) return;
  client.state.name = name;
  client.ever.insert("client " + name);
  for (auto it = clients_.begin(); it != clients_.end();) {
    const auto other = it++;
    if (other->first == id || other->second.state.name != name) continue;
    if (!Eventually(
            [&] { return NodeOf(other->second).shard().Closed(other->first).has_value(); })) {
      Wrong(fmt::format("{} is not closed, although {} took over", other->first.ToString(),
                        id.ToString()));
    }
    Retire(other);
  }
}

void ClusterModel::Close(Clients::iterator client) {
  Note(fmt::format("close {}", client->first.ToString()));
  NodeOf(client->second).shard().Hang(client->first);
  Retire(client);
}

void ClusterModel::Retire(Clients::iterator client) {
  CheckGot(client->first, client->second);
  Site& site = sites_[client->second.site];
  ++site.closed;
  site.got += site.node->shard().Got(client->first).size();
  clients_.erase(client);
}

void ClusterModel::PushSomewhere() {
  const std::string topic = Below(4) == 0 ? "client " + Name() : "room " + Room();
  PushMany(topic, Below(4), calm_ ? Receipts::kRouted : Receipts::kLocal);
  if (calm_) PushWhole(topic, false);
}

}  // namespace wsrouter
