// How nodes and Redis begin and end, and what happens between them.
#include <iterator>
#include <utility>

#include "engine/redis_keys.h"
#include "fmt/format.h"
#include "tests/integration/cluster_model.h"
#include "tests/support/eventually.h"

namespace wsrouter {

void ClusterModel::Start(size_t i) {
  sites_[i] = {.proxy = std::make_unique<FaultProxy>(redis_.socket_path())};
  sites_[i].node = std::make_unique<ClusterNode>(
      ClusterNode::Options{.address = ParseRedisUrl(sites_[i].proxy->url()).value(),
                           .server_id = fmt::format("n{}", i),
                           .patience = {.connect = absl::Milliseconds(500),
                                        .command = absl::Milliseconds(200),
                                        .silence = absl::Milliseconds(800),
                                        .backoff_min = absl::Milliseconds(5),
                                        .backoff_max = absl::Milliseconds(20)},
                           .heartbeat = absl::Milliseconds(50),
                           .lease = absl::Milliseconds(200),
                           .gc_interval = absl::Milliseconds(50)});
}

void ClusterModel::AwaitUp() {
  for (const Site& site : sites_) {
    if (!Eventually([&] { return site.node->engine().up(); })) {
      Wrong(site.node->id().server_id + " does not come up");
    }
  }
}

void ClusterModel::AwaitDown(const Site& site) {
  if (!Eventually([&] { return !site.node->engine().up(); })) {
    Wrong(site.node->id().server_id + " does not notice that it is cut off");
  }
}

void ClusterModel::Fault() {
  const size_t what = Below(12);
  if (what < 3) return Crash();
  if (what < 5) return Flush();
  if (what < 6) return Kill();
  if (what < 8) return Pause();
  Cut();
}

void ClusterModel::Crash() {
  const size_t i = Below(sites_.size());
  Note(fmt::format("crash n{}", i));
  const std::string node = RedisNodeText(sites_[i].node->id());
  sites_[i].node->Crash();
  for (const auto& [id, client] : clients_) {
    if (client.site == i) CheckGot(id, client);
  }
  std::erase_if(clients_, [&](const Entry& entry) { return entry.second.site == i; });
  sites_[i].node.reset();
  sites_[i].proxy.reset();
  // As long as Redis takes it for a subscriber, pushes wait for its answer.
  const auto forgotten = [&] {
    return redis_.Run({"PUBSUB", "CHANNELS", "*"}).find(node) == std::string::npos;
  };
  if (!dead_ && !Eventually(forgotten)) Wrong("Redis keeps subscribers that are gone");
  Start(i);
  if (!dead_ && !Eventually([&] { return sites_[i].node->engine().up(); })) {
    Wrong("a node does not start");
  }
}

void ClusterModel::Flush() {
  if (dead_) return;
  Note("flush");
  redis_.Run({"FLUSHALL"});
}

void ClusterModel::Kill() {
  if (dead_) return;
  Note("kill Redis");
  redis_.Kill();
  dead_ = true;
  calm_ = false;
  for (const Site& site : sites_) AwaitDown(site);
}

// What is asked meanwhile is under way all at once when Redis goes on.
void ClusterModel::Pause() {
  if (dead_) return;
  Note("pause Redis");
  redis_.Pause();
  paused_ = true;
  Open();
  for (int i = 0; i < 4; ++i) ChangeSomebody();
  Close(AnyClient());
  paused_ = false;
  redis_.Continue();
  Note("Redis goes on");
}

void ClusterModel::Cut() {
  using Direction = FaultProxy::Direction;
  const size_t i = Below(sites_.size());
  const size_t how = Below(6);
  const size_t octets = Below(400);
  Note(fmt::format("cut n{} by {}", i, how));
  sites_[i].cut = true;
  calm_ = false;
  FaultProxy& proxy = *sites_[i].proxy;
  if (how == 0 || how == 2) proxy.Hole(Direction::kToServer);
  if (how == 1 || how == 2) proxy.Hole(Direction::kToClient);
  if (how == 3) proxy.Reset();
  if (how == 4) proxy.CutAfter(Direction::kToServer, octets);
  if (how == 5) proxy.CutAfter(Direction::kToClient, octets);
}

void ClusterModel::Heal() {
  Note("heal");
  if (std::exchange(dead_, false)) redis_.Start();
  // A stream that lost octets has no use any more, so its node must have noticed before.
  for (Site& site : sites_) {
    if (!site.cut) continue;
    site.proxy->Hole(FaultProxy::Direction::kToServer);
    site.proxy->Hole(FaultProxy::Direction::kToClient);
    site.proxy->Reset();
  }
  for (Site& site : sites_) {
    if (!std::exchange(site.cut, false)) continue;
    AwaitDown(site);
    site.proxy->Heal();
    site.proxy->Reset();
  }
  AwaitUp();
  calm_ = true;
}

}  // namespace wsrouter
