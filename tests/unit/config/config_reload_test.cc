// What of a configuration that is read anew applies at once.

#include "config_reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

v1::Config Of(std::vector<std::string> settings) {
  auto config = LoadConfig({.settings = std::move(settings), .default_server_id = "gw-1"});
  EXPECT_TRUE(config.ok()) << config.status();
  return config.value_or(v1::Config());
}

// What is read has been accepted as a whole, and its mixture with what runs is, too.
ConfigReload Reloaded(const v1::Config& running, const v1::Config& read) {
  auto reload = ReloadConfig(running, read);
  EXPECT_TRUE(reload.ok()) << reload.status();
  return reload.value_or(ConfigReload());
}

TEST(ConfigReloadTest, SameConfigurationChangesNothing) {
  const v1::Config running = Of({"drain.window=10s", "gateway.listen=127.0.0.1:1,127.0.0.1:2"});
  const ConfigReload reload = Reloaded(running, running);
  EXPECT_THAT(reload.changed, IsEmpty());
  EXPECT_THAT(reload.needs_restart, IsEmpty());
  EXPECT_EQ(EffectiveConfig(reload.config), EffectiveConfig(running));
}

TEST(ConfigReloadTest, ReloadableKeysApplyAtOnceAndOthersWaitForARestart) {
  const v1::Config running = Of({});
  const ConfigReload reload = Reloaded(
      running,
      Of({"log.level=debug", "drain.window=5s", "gateway.path=/other", "limits.owner_capacity=7"}));
  EXPECT_THAT(reload.changed, ElementsAre("drain.window", "log.level"));
  EXPECT_THAT(reload.needs_restart, ElementsAre("gateway.path", "limits.owner_capacity"));
  EXPECT_EQ(EffectiveConfig(reload.config),
            EffectiveConfig(Of({"log.level=debug", "drain.window=5s"})));
}

TEST(ConfigReloadTest, KeyThatIsNoLongerSetHasItsDefaultAgain) {
  const ConfigReload reload = Reloaded(Of({"drain.notice=0"}), Of({}));
  EXPECT_THAT(reload.changed, ElementsAre("drain.notice"));
  EXPECT_EQ(reload.config.drain().notice().seconds(), 5);
}

TEST(ConfigReloadTest, LimitsOfClientsAreReloadable) {
  const ConfigReload reload = Reloaded(
      Of({}), Of({"gateway.allowed_origins=https://a.example", "gateway.message_bytes_max=1KiB",
                  "limits.client_messages_rate=7", "limits.upgrades_rate=5"}));
  EXPECT_THAT(reload.changed, ElementsAre("gateway.allowed_origins", "gateway.message_bytes_max",
                                          "limits.client_messages_rate", "limits.upgrades_rate"));
  EXPECT_THAT(reload.needs_restart, IsEmpty());
  EXPECT_EQ(reload.config.limits().client_messages_rate(), 7u);
}

TEST(ConfigReloadTest, LimitsAndHistoriesOfRoomsAreReloadable) {
  const ConfigReload reload = Reloaded(
      Of({}),
      Of({"limits.room_rate=5/1s", "limits.client_rate=2/1s", "limits.on_rate_limit=disconnect",
          "limits.namespaces=chat: history_size=9", "history.size=3", "history.ttl=1m",
          "history.reliable=always", "history.position_ttl=2h"}));
  EXPECT_THAT(reload.changed,
              ElementsAre("limits.room_rate", "limits.client_rate", "limits.on_rate_limit",
                          "limits.namespaces", "history.size", "history.ttl", "history.reliable"));
  EXPECT_THAT(reload.needs_restart, ElementsAre("history.position_ttl"));
  EXPECT_THAT(reload.config.limits().namespaces(), ElementsAre("chat: history_size=9"));
}

TEST(ConfigReloadTest, WhatWantsARestartFirstIsRefused) {
  const auto reload = ReloadConfig(
      Of({}), Of({"control.message_bytes_max=32MiB", "gateway.message_bytes_max=8MiB"}));
  EXPECT_THAT(std::string(reload.status().message()),
              StartsWith("gateway.message_bytes_max: must be smaller than "
                         "control.message_bytes_max, 4MiB"));
}

TEST(ConfigReloadTest, SecretThatChangedIsNamedAndNotShown) {
  const auto with = [](const std::string& secret) {
    return LoadConfig({.environment = {"WSROUTER_REDIS_URL=redis://u:" + secret + "@h:1"}}).value();
  };
  const ConfigReload reload = Reloaded(with("first"), with("second"));
  EXPECT_THAT(reload.needs_restart, ElementsAre("redis.url"));
}

}  // namespace
}  // namespace wsrouter
