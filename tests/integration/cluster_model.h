#ifndef WSROUTER_TESTS_INTEGRATION_CLUSTER_MODEL_H_
#define WSROUTER_TESTS_INTEGRATION_CLUSTER_MODEL_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/support/cluster_node.h"
#include "tests/support/fault_proxy.h"
#include "tests/support/private_redis.h"

namespace wsrouter {

// One to three nodes around one Redis, each behind a proxy of its own, and beside them what they
// must be: a map of connections. A seed draws the steps and the faults between them.
class ClusterModel {
 public:
  explicit ClusterModel(uint64_t seed);

  // Takes all steps, heals all faults and compares. The first thing that is wrong, or nothing.
  std::string Run();
  // The steps that were taken.
  std::string History() const;

 private:
  // Rooms and clients share names, and some differ in little, so that confusing them shows.
  static constexpr std::array<std::string_view, 3> kRoomNames = {"a", "A", "b:a"};
  static constexpr std::array<std::string_view, 6> kClientNames = {"a", "A", "b:a", "b", "s", "S"};

  // Whose a connection is and where: what a service knows by the answers that it got.
  struct State {
    std::string name;  // empty while unowned
    std::set<std::string> rooms;
  };
  struct Client {
    size_t site = 0;
    State state;
    // Where an answer was lost: all that it may be. Nothing but a close is asked of it then.
    std::vector<State> perhaps;
    std::set<std::string> ever;  // every topic that may have addressed it
  };
  using Clients = std::map<ConnectionId, Client>;
  using Entry = Clients::value_type;

  // A topic is "room <name>" or "client <name>"; a push's text is its number.
  struct Push {
    std::string topic;
    bool answered = false;  // OK: Redis has given it its place
    bool settled = false;   // and all nodes have said what became of it
    std::set<ConnectionId> may_get;
  };
  struct Site {
    std::unique_ptr<FaultProxy> proxy;
    std::unique_ptr<ClusterNode> node;
    bool cut = false;
    uint64_t closed = 0;  // connections that are gone, and what they got
    uint64_t got = 0;
  };

  // Steps.
  void Step();
  void Open();
  void ChangeSomebody();
  void Own(Entry& client);
  void OwnAlone(Entry& client, const std::string& name);
  void Join(Entry& client);
  void Leave(Entry& client);
  void Release(Entry& client);
  void Close(Clients::iterator client);
  void PushSomewhere();
  void Fault();
  void Crash();
  void Kill();
  void Flush();
  void Pause();
  void Cut();
  // Ends all faults and waits until every node is whole.
  void Heal();

  size_t Below(size_t bound);
  Clients::iterator AnyClient();  // of at least one
  std::string Name();
  std::string Room();
  ClusterNode& NodeOf(const Client& client) { return *sites_[client.site].node; }
  void Start(size_t i);
  void AwaitUp();
  void AwaitDown(const Site& site);
  void Note(std::string line) { history_.push_back(std::move(line)); }
  void Wrong(const std::string& what);
  void Ask(Entry& entry, std::string_view what, Action action, const State& after);
  // Takes a connection that has ended out of the model.
  void Retire(Clients::iterator client);

  // Pushes.
  static bool Addresses(const std::string& topic, const State& state);
  static bool MayAddress(const std::string& topic, const Client& client);
  static bool MustAddress(const std::string& topic, const Client& client);
  // Through one node, one behind the other, before the first is answered.
  std::vector<Receipt> PushMany(const std::string& topic, size_t count, Receipts receipts);
  // While nothing is at fault: until a push is answered by all nodes. It must have reached all.
  void PushWhole(const std::string& topic, bool at_rest);
  void CheckReached(const std::string& topic, const std::string& text, const Receipt& receipt);
  void CheckGot(const ConnectionId& id, const Client& client);

  // At rest.
  void AtRest();
  std::string Difference();
  std::string SettlePerhaps(const ConnectionId& id, Client& client);
  std::string NodesDiffer(ClusterNode& node);
  std::string CountsDiffer(ClusterNode& node);
  std::string ClientsDiffer(ClusterNode& node);
  std::string RoomsDiffer(ClusterNode& node);
  std::string CountersDiffer(const Site& site, size_t index);

  std::mt19937_64 random_;
  PrivateRedis redis_;
  std::vector<Site> sites_;
  Clients clients_;
  std::vector<Push> pushes_;
  bool dead_ = false;  // Redis is
  bool paused_ = false;
  bool calm_ = true;  // no fault since all was whole
  // An Own that replaces may have been carried out and answered too late: then rows are missing.
  bool may_repair_ = false;
  std::vector<std::string> history_;
  std::string wrong_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_INTEGRATION_CLUSTER_MODEL_H_
