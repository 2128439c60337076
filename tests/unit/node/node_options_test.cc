#include "node_options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;

v1::Config Load(std::vector<std::string> settings = {}) {
  absl::StatusOr<v1::Config> config = LoadConfig({.settings = std::move(settings)});
  EXPECT_TRUE(config.ok()) << config.status();
  return config.value_or(v1::Config());
}

TEST(NodeOptionsTest, DefaultsOfTheSchemaAreThoseOfTheLayers) {
  const v1::Config config = Load();
  const Limits limits = ToLimits(config);
  EXPECT_EQ(limits.owner_capacity, Limits().owner_capacity);
  EXPECT_EQ(limits.room_members_capacity, Limits().room_members_capacity);
  EXPECT_EQ(limits.connections_per_client, Limits().connections_per_client);
  EXPECT_EQ(limits.rooms_per_connection, Limits().rooms_per_connection);
  EXPECT_EQ(limits.slow_consumer_bytes, Limits().slow_consumer_bytes);
  EXPECT_EQ(limits.slow_consumer_policy, Limits().slow_consumer_policy);
  EXPECT_EQ(limits.outbox_age_max, Limits().outbox_age_max);
  EXPECT_EQ(limits.outbox_budget, Limits().outbox_budget);
  EXPECT_EQ(limits.auth_timeout, Limits().auth_timeout);
  const ControlOptions control = ToControlOptions(config);
  EXPECT_EQ(control.listen, ControlOptions().listen);
  EXPECT_EQ(control.message_bytes_max, ControlOptions().message_bytes_max);
  EXPECT_EQ(control.streams_max, ControlOptions().streams_max);
  EXPECT_EQ(control.watchers_max, ControlOptions().watchers_max);
  EXPECT_EQ(control.attached_max, ControlOptions().attached_max);
  EXPECT_EQ(control.push_streams_max, ControlOptions().push_streams_max);
  EXPECT_EQ(control.consumers_max, ControlOptions().consumers_max);
  EXPECT_EQ(control.watch_queue_events_max, ControlOptions().watch_queue_events_max);
  EXPECT_EQ(control.watch_queue_bytes_max, ControlOptions().watch_queue_bytes_max);
  EXPECT_EQ(control.payload_bytes_max, ControlOptions().payload_bytes_max);
  EXPECT_EQ(ToAdminOptions(config).host, AdminOptions().host);
  EXPECT_EQ(ToAdminOptions(config).port, AdminOptions().port);
}

TEST(NodeOptionsTest, GatewayDefaultsOfTheSchemaAreThoseOfTheLayer) {
  const absl::StatusOr<GatewayOptions> gateway = ToGatewayOptions(Load(), 1);
  ASSERT_TRUE(gateway.ok()) << gateway.status();
  const GatewayOptions expected;
  EXPECT_EQ(gateway->listen, expected.listen);
  EXPECT_THAT(gateway->upgrade.paths, ElementsAre("/ws"));
  EXPECT_EQ(gateway->upgrade.echo_path, "");
  EXPECT_EQ(gateway->page, "");
  EXPECT_EQ(gateway->refuse_visibly, expected.refuse_visibly);
  EXPECT_EQ(gateway->message_bytes_max, expected.message_bytes_max);
  EXPECT_EQ(gateway->connections_max, expected.connections_max);
  EXPECT_EQ(gateway->mailbox_messages_max, expected.mailbox_messages_max);
  EXPECT_EQ(gateway->upgrade_timeout, expected.upgrade_timeout);
  EXPECT_EQ(gateway->close_timeout, expected.close_timeout);
  EXPECT_EQ(gateway->ping_interval, expected.ping_interval);
  EXPECT_EQ(gateway->pong_timeout, expected.pong_timeout);
}

TEST(NodeOptionsTest, LimitsOfTheSchemaAreThoseOfTheDesign) {
  const GatewayOptions gateway = ToGatewayOptions(Load(), 1).value_or(GatewayOptions());
  EXPECT_EQ(gateway.frames_rate, 100u);
  EXPECT_EQ(gateway.frames_burst, 200u);
  EXPECT_EQ(gateway.connects_per_address_rate, 10u);
  EXPECT_EQ(gateway.connects_per_address_burst, 200u);
  EXPECT_EQ(gateway.half_open_max, 0u);
  EXPECT_EQ(gateway.loop_lag_max, absl::Milliseconds(250));
  EXPECT_EQ(gateway.upgrades_rate, 0u);
}

TEST(NodeOptionsTest, MemoryThatIsSetCountsAndNotThatOfTheControlGroup) {
  EXPECT_EQ(ToGatewayOptions(Load({"limits.memory_max=3MiB"}), 1)->memory_max, uint64_t{3} << 20);
}

TEST(NodeOptionsTest, TheClientProtocolIsAgreedToFirstUnlessItIsListedOrOff) {
  const auto gateway = [](std::vector<std::string> settings) {
    return ToGatewayOptions(Load(std::move(settings)), 1).value();
  };
  EXPECT_TRUE(gateway({}).client_protocol);
  EXPECT_THAT(gateway({"gateway.subprotocols=a"}).upgrade.subprotocols,
              ElementsAre("wsrouter.v1.json", "a"));
  EXPECT_THAT(gateway({"gateway.subprotocols=a,wsrouter.v1.json"}).upgrade.subprotocols,
              ElementsAre("a", "wsrouter.v1.json"));
  EXPECT_THAT(gateway({"gateway.client_protocol=false"}).upgrade.subprotocols, ElementsAre());
  EXPECT_FALSE(gateway({"gateway.client_protocol=false"}).client_protocol);
}

TEST(NodeOptionsTest, BackendDefaultsOfTheSchemaAreThoseOfTheLayer) {
  const BackendOptions options = ToBackendOptions(Load());
  const BackendOptions expected;
  EXPECT_TRUE(options.routes.empty());
  EXPECT_EQ(options.methods, expected.methods);
  EXPECT_EQ(options.timeout, expected.timeout);
  EXPECT_EQ(options.concurrency_max, expected.concurrency_max);
  EXPECT_EQ(options.queue_max, expected.queue_max);
  EXPECT_EQ(options.connect_outage, expected.connect_outage);
  EXPECT_EQ(options.message_outage, expected.message_outage);
  EXPECT_EQ(options.hold_max, expected.hold_max);
  EXPECT_EQ(options.message_bytes_max, expected.message_bytes_max);
  EXPECT_EQ(options.payload_bytes_max, expected.payload_bytes_max);
}

TEST(NodeOptionsTest, RoutesAreServedBelowTheirPaths) {
  const v1::Config config =
      Load({"backend.routes=/chat dns:///chat:50051 rooms=chat:,/dev attached,/x attached rooms=é=",
            "backend.methods=Message", "backend.connect_outage=hold", "backend.message_outage=drop",
            "gateway.upgrade_timeout=3s", "gateway.refuse_visibly=false"});
  const BackendOptions options = ToBackendOptions(config);
  ASSERT_EQ(options.routes.size(), 3u);
  EXPECT_EQ(options.routes[0].prefix, "/chat");
  EXPECT_EQ(options.routes[0].target, "dns:///chat:50051");
  EXPECT_EQ(options.routes[0].rooms_prefix, "chat:");
  EXPECT_EQ(options.routes[1].target, "");
  EXPECT_EQ(options.routes[1].rooms_prefix, "");
  EXPECT_EQ(options.routes[2].target, "");
  EXPECT_EQ(options.routes[2].rooms_prefix, "é=");
  EXPECT_EQ(options.methods.to_string(), "0010");
  EXPECT_EQ(options.connect_outage, ConnectOutage::kHold);
  EXPECT_EQ(options.message_outage, MessageOutage::kDrop);
  EXPECT_EQ(options.hold_max, absl::Seconds(3));
  EXPECT_THAT(ToGatewayOptions(config, 1)->upgrade.prefixes, ElementsAre("/chat", "/dev", "/x"));
  EXPECT_FALSE(ToGatewayOptions(config, 1)->refuse_visibly);
}

TEST(NodeOptionsTest, NoShardsMeansOneForEachCoreAndAtLeastOne) {
  EXPECT_EQ(ToGatewayOptions(Load(), 6)->shards, 6);
  EXPECT_EQ(ToGatewayOptions(Load(), 0)->shards, 1);
  EXPECT_EQ(ToGatewayOptions(Load(), 1000)->shards, kShardsMax);
  EXPECT_EQ(ToGatewayOptions(Load({"node.shards=3"}), 6)->shards, 3);
}

TEST(NodeOptionsTest, LocalhostIsANumberForEveryListener) {
  const v1::Config config = Load({"gateway.listen=localhost:1,[::1]:2",
                                  "control.listen=localhost:3", "admin.listen=localhost:4"});
  EXPECT_THAT(ToGatewayOptions(config, 1)->listen, ElementsAre("127.0.0.1:1", "[::1]:2"));
  EXPECT_EQ(ToControlOptions(config).listen, "127.0.0.1:3");
  EXPECT_EQ(ToAdminOptions(config).host, "127.0.0.1");
  EXPECT_EQ(ToAdminOptions(config).port, 4);
}

TEST(NodeOptionsTest, HeaderNamesAreInLowerCaseAndCookieNamesAsTheyAre) {
  const absl::StatusOr<GatewayOptions> gateway =
      ToGatewayOptions(Load({"gateway.event_headers=X-Trace", "gateway.event_cookies=Session"}), 1);
  EXPECT_THAT(gateway->event_headers, ElementsAre("x-trace"));
  EXPECT_THAT(gateway->event_cookies, ElementsAre("Session"));
}

TEST(NodeOptionsTest, APageThatIsGoneSinceTheCheckIsNamed) {
  v1::Config config = Load();
  config.mutable_gateway()->set_page_file("/nowhere.html");
  EXPECT_NE(std::string(ToGatewayOptions(config, 1).status().message()).find("/nowhere.html"),
            std::string::npos);
}

}  // namespace
}  // namespace wsrouter
