#ifndef WSROUTER_TESTS_SUPPORT_BROKER_NODE_H_
#define WSROUTER_TESTS_SUPPORT_BROKER_NODE_H_

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/redis_broker.h"
#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"
#include "tests/support/linked.h"
#include "tests/support/text_listener.h"

namespace wsrouter {

// A node of which there is nothing but its link and its broker.
class BrokerNode final : private RedisLink::Handler {
 public:
  struct Options {
    std::string url;
    std::string server_id = "node-1";
    std::vector<SealKey> keys = {};
    absl::Duration receipts = absl::Seconds(20);
    RedisPatience patience = Patient();
  };

  explicit BrokerNode(const Options& options)
      : id_{.server_id = options.server_id, .incarnation = 7},
        link_(ParseRedisUrl(options.url).value(), options.patience),
        broker_({.prefix = "test", .node = id_, .keys = options.keys, .receipts = options.receipts},
                link_, counters_, clock_) {
    link_.Every(absl::Milliseconds(20), [this] { broker_.OnTick(); });
    link_.Start(*this);
  }
  ~BrokerNode() override { link_.Stop(); }
  BrokerNode(const BrokerNode&) = delete;

  RedisBroker& broker() { return broker_; }
  RedisLink& link() { return link_; }
  const Counters& counters() const { return counters_; }
  const NodeIdentity& id() const { return id_; }
  ConnectionId Connection(uint64_t counter) const {
    return {.node = id_, .shard = 0, .counter = counter};
  }
  std::string inbox() const { return "{test}:n:" + id_.server_id + ".0000000000000007"; }

  // Until it has been joined, or cut off, so many times in all.
  void AwaitJoined(size_t times = 1) { AwaitReach(joined_, times); }
  void AwaitDown(size_t times = 1) { AwaitReach(downs_, times); }

  // From the next time that the link comes up, the broker is told by Join and not before.
  void HoldJoin() { held_ = true; }
  void Join() {
    link_.Post([this] { JoinNow(); });
  }

  absl::Status Subscribe(Subscriber& subscriber, const Topic& topic) {
    Awaited<absl::Status> live;
    broker_.Subscribe(subscriber, topic, live.Take());
    return live.Wait();
  }
  // Blocks until the receipt is there.
  Receipt Publish(const Topic& topic, std::string_view text,
                  Receipts receipts = Receipts::kRouted) {
    Awaited<Receipt> receipt;
    Publish(topic, text, receipts, receipt.Take());
    return receipt.Wait();
  }
  void Publish(const Topic& topic, std::string_view text, Receipts receipts,
               ReceiptSum::Done done) {
    Deliver deliver;
    deliver.frame = Frame::Make(Opcode::kText, text);
    broker_.Publish({.to = topic, .action = std::move(deliver), .receipts = receipts},
                    std::move(done));
  }

 private:
  void OnUp() override {
    if (!held_) JoinNow();
  }
  void JoinNow() {
    broker_.OnUp([this](const absl::Status& status) {
      if (status.ok()) Count(joined_);
    });
  }
  void OnDown(const absl::Status&) override {
    broker_.OnDown();
    Count(downs_);
  }
  void OnMessage(std::string_view channel, std::string_view payload) override {
    broker_.OnMessage(channel, payload);
  }
  void Count(size_t& what) {
    absl::MutexLock lock(&mutex_);
    ++what;
    changed_.SignalAll();
  }
  void AwaitReach(const size_t& what, size_t times) {
    absl::MutexLock lock(&mutex_);
    while (what < times) {
      if (!changed_.WaitWithTimeout(&mutex_, kAnswerDeadline)) continue;
      EXPECT_GE(what, times) << id_.server_id << " did not get there";
      break;
    }
  }

  const NodeIdentity id_;
  const SystemClock clock_;
  Counters counters_;
  absl::Mutex mutex_;
  absl::CondVar changed_;
  size_t joined_ = 0;  // both: mutex_
  size_t downs_ = 0;
  std::atomic<bool> held_ = false;
  RedisLink link_;
  RedisBroker broker_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_BROKER_NODE_H_
