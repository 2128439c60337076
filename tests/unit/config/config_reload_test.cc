// What of a configuration that is read anew applies at once.

#include "config_reload.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config.h"

namespace wsrouter {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

v1::Config Of(std::vector<std::string> settings) {
  auto config = LoadConfig({.settings = std::move(settings), .default_server_id = "gw-1"});
  EXPECT_TRUE(config.ok()) << config.status();
  return config.value_or(v1::Config());
}

TEST(ConfigReloadTest, SameConfigurationChangesNothing) {
  const v1::Config running = Of({"drain.window=10s", "gateway.listen=127.0.0.1:1,127.0.0.1:2"});
  const ConfigReload reload = ReloadConfig(running, running);
  EXPECT_THAT(reload.changed, IsEmpty());
  EXPECT_THAT(reload.needs_restart, IsEmpty());
  EXPECT_EQ(EffectiveConfig(reload.config), EffectiveConfig(running));
}

TEST(ConfigReloadTest, LogAndDrainApplyAtOnceAndOthersWaitForARestart) {
  const v1::Config running = Of({});
  const ConfigReload reload = ReloadConfig(
      running,
      Of({"log.level=debug", "drain.window=5s", "gateway.path=/other", "limits.owner_capacity=7"}));
  EXPECT_THAT(reload.changed, ElementsAre("drain.window", "log.level"));
  EXPECT_THAT(reload.needs_restart, ElementsAre("gateway.path", "limits.owner_capacity"));
  EXPECT_EQ(EffectiveConfig(reload.config),
            EffectiveConfig(Of({"log.level=debug", "drain.window=5s"})));
}

TEST(ConfigReloadTest, KeyThatIsNoLongerSetHasItsDefaultAgain) {
  const ConfigReload reload = ReloadConfig(Of({"drain.notice=0"}), Of({}));
  EXPECT_THAT(reload.changed, ElementsAre("drain.notice"));
  EXPECT_EQ(reload.config.drain().notice().seconds(), 5);
}

TEST(ConfigReloadTest, SecretThatChangedIsNamedAndNotShown) {
  const auto with = [](const std::string& secret) {
    return LoadConfig({.environment = {"WSROUTER_REDIS_URL=redis://u:" + secret + "@h:1"}}).value();
  };
  const ConfigReload reload = ReloadConfig(with("first"), with("second"));
  EXPECT_THAT(reload.needs_restart, ElementsAre("redis.url"));
}

}  // namespace
}  // namespace wsrouter
