#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "tests/contract/awaiting.h"
#include "tests/contract/engines.h"
#include "tests/support/text_listener.h"

namespace wsrouter {
namespace {

// A shard whose mailbox is full.
class FullListener final : public Subscriber {
 public:
  void Take(std::shared_ptr<const Envelope>, ReceiptPart) override {}
};

class BrokerContractTest : public EngineContractTest {
 protected:
  void SetUp() override { Start(); }

  void Subscribe(Subscriber& subscriber, const Topic& topic) {
    Awaited<absl::Status> live;
    broker().Subscribe(subscriber, topic, live.Take());
    ASSERT_TRUE(live.Wait().ok());
  }
  Receipt Publish(const Topic& topic, std::string_view payload) {
    Awaited<Receipt> receipt;
    broker().Publish({.to = topic, .action = Of(payload)}, receipt.Take());
    return receipt.Wait();
  }
  static Deliver Of(std::string_view payload) {
    Deliver deliver;
    deliver.frame = Frame::Make(Opcode::kText, payload);
    return deliver;
  }
};

TEST_P(BrokerContractTest, AnEnvelopeReachesEverySubscriberOfItsTopicOnce) {
  TextListener first;
  TextListener second;
  TextListener other;
  Subscribe(first, RoomName{"lobby"});
  Subscribe(second, RoomName{"lobby"});
  Subscribe(other, RoomName{"other"});
  EXPECT_EQ(Publish(RoomName{"lobby"}, "x").nodes, 1u);
  EXPECT_THAT(first.Wait(1), testing::ElementsAre("x"));
  EXPECT_THAT(second.Wait(1), testing::ElementsAre("x"));
  EXPECT_THAT(other.taken(), testing::IsEmpty());
  for (TextListener* listener : {&first, &second})
    broker().Unsubscribe(*listener, RoomName{"lobby"});
  broker().Unsubscribe(other, RoomName{"other"});
}

TEST_P(BrokerContractTest, TopicsOfDifferentKindsWithOneNameAreDifferent) {
  TextListener room;
  TextListener client;
  TextListener channel;
  Subscribe(room, RoomName{"x"});
  Subscribe(client, ClientId{"x"});
  Subscribe(channel, ChannelName{"x"});
  Publish(RoomName{"x"}, "to the room");
  Publish(ClientId{"x"}, "to the client");
  Publish(ChannelName{"x"}, "to the channel");
  EXPECT_THAT(room.Wait(1), testing::ElementsAre("to the room"));
  EXPECT_THAT(client.Wait(1), testing::ElementsAre("to the client"));
  EXPECT_THAT(channel.Wait(1), testing::ElementsAre("to the channel"));
  broker().Unsubscribe(room, RoomName{"x"});
  broker().Unsubscribe(client, ClientId{"x"});
  broker().Unsubscribe(channel, ChannelName{"x"});
}

TEST_P(BrokerContractTest, ATopicThatNobodySubscribesToGivesAnEmptyReceipt) {
  const Receipt receipt = Publish(RoomName{"empty"}, "x");
  EXPECT_TRUE(receipt.status.ok());
  EXPECT_EQ(receipt.nodes, 0u);
  EXPECT_EQ(receipt.matched, 0u);
}

TEST_P(BrokerContractTest, AConnectionIsReachedThroughItsShardsInbox) {
  TextListener shard;
  Subscribe(shard, Inbox{0});
  EXPECT_EQ(Publish(Connection(5), "x").matched, 1u);
  ConnectionId elsewhere = Connection(5);
  elsewhere.shard = 1;
  EXPECT_EQ(Publish(elsewhere, "x").matched, 0u);
  EXPECT_EQ(shard.taken().size(), 1u);
  broker().Unsubscribe(shard, Inbox{0});
}

TEST_P(BrokerContractTest, AConnectionOfAnotherIncarnationGivesAnEmptyReceipt) {
  TextListener shard;
  Subscribe(shard, Inbox{0});
  ConnectionId dead = Connection(5);
  ++dead.node.incarnation;
  EXPECT_EQ(Publish(dead, "x").nodes, 0u);
  ConnectionId stranger = Connection(5);
  stranger.node.server_id = "nobody";
  EXPECT_EQ(Publish(stranger, "x").nodes, 0u);
  EXPECT_THAT(shard.taken(), testing::IsEmpty());
  broker().Unsubscribe(shard, Inbox{0});
}

TEST_P(BrokerContractTest, AMailboxThatIsFullShowsInTheReceipt) {
  FullListener full;
  TextListener fine;
  Subscribe(full, RoomName{"lobby"});
  Subscribe(fine, RoomName{"lobby"});
  const Receipt receipt = Publish(RoomName{"lobby"}, "x");
  EXPECT_EQ(receipt.dropped_mailbox_full, 1u);
  EXPECT_EQ(receipt.queued, 1u);
  broker().Unsubscribe(full, RoomName{"lobby"});
  broker().Unsubscribe(fine, RoomName{"lobby"});
}

TEST_P(BrokerContractTest, ASubscriptionIsLiveWhenItsAnswerSaysSo) {
  for (int i = 0; i < 200; ++i) {
    TextListener listener;
    const RoomName room{"room " + std::to_string(i)};
    Subscribe(listener, room);
    EXPECT_EQ(Publish(room, "x").matched, 1u);
    broker().Unsubscribe(listener, room);
    EXPECT_EQ(Publish(room, "x").matched, 0u);
  }
}

TEST_P(BrokerContractTest, HostileNamesReachTheirOwnTopicOnly) {
  const std::vector<std::string> names = {"*",
                                          "a*",
                                          "[a]",
                                          "a?",
                                          ":",
                                          "a:b",
                                          "{a}",
                                          "}{",
                                          "a\\b",
                                          "%s",
                                          "\"",
                                          "'; --",
                                          "../..",
                                          " ",
                                          "a b",
                                          std::string(255, 'x'),
                                          "\xF0\x9F\x98\x80"};
  std::vector<TextListener> listeners(names.size());
  for (size_t i = 0; i < names.size(); ++i) Subscribe(listeners[i], RoomName{names[i]});
  for (const std::string& name : names) {
    EXPECT_EQ(Publish(RoomName{name}, name).matched, 1u) << name;
  }
  for (size_t i = 0; i < names.size(); ++i) {
    EXPECT_THAT(listeners[i].Wait(1), testing::ElementsAre(names[i]));
    broker().Unsubscribe(listeners[i], RoomName{names[i]});
  }
}

TEST_P(BrokerContractTest, AllSubscribersSeeConcurrentPublishersInOneOrderAndEachReceiptComesOnce) {
  constexpr size_t kPublishers = 4;
  constexpr size_t kEnvelopes = 500;
  TextListener listeners[3];
  for (TextListener& listener : listeners) Subscribe(listener, RoomName{"lobby"});
  std::vector<std::atomic<int>> answers(kPublishers * kEnvelopes);
  std::atomic<size_t> matched = 0;
  std::latch start(kPublishers);
  std::vector<std::thread> publishers;
  for (size_t p = 0; p < kPublishers; ++p) {
    publishers.emplace_back([&, p] {
      start.arrive_and_wait();
      for (size_t i = 0; i < kEnvelopes; ++i) {
        broker().Publish(
            {.to = RoomName{"lobby"}, .action = Of(std::to_string(p) + " " + std::to_string(i))},
            [&, place = p * kEnvelopes + i](Receipt receipt) {
              ++answers[place];
              matched += receipt.matched;
            });
      }
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  const std::vector<std::string> order = listeners[0].Wait(kPublishers * kEnvelopes);
  ASSERT_EQ(order.size(), kPublishers * kEnvelopes);
  for (const TextListener& listener : listeners) EXPECT_EQ(listener.Wait(order.size()), order);
  size_t next[kPublishers] = {};
  for (const std::string& payload : order) {
    const size_t publisher = static_cast<size_t>(payload[0] - '0');
    EXPECT_EQ(payload, std::to_string(publisher) + " " + std::to_string(next[publisher]++));
  }
  // An engine that answers later answers this one last.
  EXPECT_EQ(Publish(RoomName{"lobby"}, "end").matched, 3u);
  for (const std::atomic<int>& times : answers) EXPECT_EQ(times, 1);
  EXPECT_EQ(matched, order.size() * 3);
  for (TextListener& listener : listeners) broker().Unsubscribe(listener, RoomName{"lobby"});
}

TEST_P(BrokerContractTest, NothingIsTakenAfterUnsubscribeHasReturned) {
  std::atomic<bool> stop = false;
  std::thread publisher([&] {
    while (!stop) Publish(RoomName{"lobby"}, "x");
  });
  for (int i = 0; i < 200; ++i) {
    auto listener = std::make_unique<TextListener>();
    Subscribe(*listener, RoomName{"lobby"});
    listener->Wait(1);
    broker().Unsubscribe(*listener, RoomName{"lobby"});
    listener.reset();  // a Take from here on is a use after free, which the sanitizers see
  }
  stop = true;
  publisher.join();
}

TEST_P(BrokerContractTest, AReceiptMayPublishAgain) {
  TextListener listener;
  Subscribe(listener, RoomName{"lobby"});
  Awaited<Receipt> second;
  broker().Publish(
      {.to = RoomName{"lobby"}, .action = Of("1")}, [this, done = second.Take()](Receipt) mutable {
        broker().Publish({.to = RoomName{"lobby"}, .action = Of("2")}, std::move(done));
      });
  EXPECT_EQ(second.Wait().matched, 1u);
  EXPECT_THAT(listener.taken(), testing::ElementsAre("1", "2"));
  broker().Unsubscribe(listener, RoomName{"lobby"});
}

INSTANTIATE_TEST_SUITE_P(Engines, BrokerContractTest, testing::ValuesIn(EngineKinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace wsrouter
