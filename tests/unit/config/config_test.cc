#include "config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config_key.h"
#include "config_value.h"
#include "google/protobuf/util/message_differencer.h"

namespace wsrouter {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::Config Load(ConfigSources sources = {}) {
  absl::StatusOr<v1::Config> config = LoadConfig(sources);
  EXPECT_TRUE(config.ok()) << config.status();
  return config.value_or(v1::Config());
}

ConfigSources Yaml(std::string text) {
  return {.file = ConfigSources::File{.name = "test.yaml", .yaml = std::move(text)}};
}

TEST(ConfigTest, EveryFieldThatIsNoSectionHasRules) {
  for (const ConfigKeyField& key : ConfigKeys()) {
    EXPECT_TRUE(key.field->options().HasExtension(v1::key)) << key.path;
  }
}

TEST(ConfigTest, NoTwoKeysShareAVariable) {
  for (const ConfigKeyField& key : ConfigKeys()) {
    EXPECT_EQ(FindConfigVariable(key.variable), &key) << key.variable;
  }
}

TEST(ConfigTest, DefaultsAreTheOnesOfTheSchema) {
  const v1::Config config = Load();
  EXPECT_THAT(config.gateway().listen(), ElementsAre("0.0.0.0:8080"));
  EXPECT_EQ(config.gateway().path(), "/ws");
  EXPECT_EQ(config.gateway().echo_path(), "");
  EXPECT_EQ(config.control().listen(), "127.0.0.1:9090");
  EXPECT_EQ(config.admin().listen(), "127.0.0.1:9100");
  EXPECT_EQ(config.redis().url(), "");
  EXPECT_EQ(config.redis().prefix(), "wsrouter");
  EXPECT_EQ(config.gateway().auth_timeout().seconds(), 10);
  EXPECT_EQ(config.gateway().message_bytes_max(), 65'536u);
  EXPECT_EQ(config.limits().slow_consumer_policy(), v1::SLOW_CONSUMER_POLICY_DROP);
  EXPECT_EQ(config.log().level(), v1::LOG_LEVEL_INFO);
}

TEST(ConfigTest, TheFileOverridesTheDefault) {
  EXPECT_EQ(Load(Yaml("gateway:\n  path: /file\n")).gateway().path(), "/file");
}

TEST(ConfigTest, TheEnvironmentOverridesTheFile) {
  ConfigSources sources = Yaml("gateway:\n  path: /file\n");
  sources.environment = {"WSROUTER_GATEWAY_PATH=/environment"};
  EXPECT_EQ(Load(sources).gateway().path(), "/environment");
}

TEST(ConfigTest, ASettingOverridesTheEnvironment) {
  ConfigSources sources = Yaml("gateway:\n  path: /file\n");
  sources.environment = {"WSROUTER_GATEWAY_PATH=/environment"};
  sources.settings = {"gateway.path=/setting"};
  EXPECT_EQ(Load(sources).gateway().path(), "/setting");
}

TEST(ConfigTest, TheLastOfTwoSettingsCounts) {
  ConfigSources sources;
  sources.settings = {"gateway.path=/a", "gateway.path=/b"};
  EXPECT_EQ(Load(sources).gateway().path(), "/b");
}

TEST(ConfigTest, ASourceReplacesAListAsAWhole) {
  ConfigSources sources = Yaml("gateway:\n  subprotocols: [a, b]\n");
  sources.environment = {"WSROUTER_GATEWAY_SUBPROTOCOLS=c"};
  EXPECT_THAT(Load(sources).gateway().subprotocols(), ElementsAre("c"));
}

TEST(ConfigTest, AListOutsideTheFileIsSeparatedByCommas) {
  ConfigSources sources;
  sources.settings = {"gateway.listen=127.0.0.1:0,[::1]:0"};
  EXPECT_THAT(Load(sources).gateway().listen(), ElementsAre("127.0.0.1:0", "[::1]:0"));
}

TEST(ConfigTest, AnEmptyTextIsAnEmptyList) {
  ConfigSources sources = Yaml("gateway:\n  subprotocols: [a, b]\n");
  sources.settings = {"gateway.subprotocols="};
  EXPECT_EQ(Load(sources).gateway().subprotocols_size(), 0);
}

TEST(ConfigTest, AnEmptyFileAndEmptySectionsAreFine) {
  EXPECT_EQ(Load(Yaml("")).gateway().path(), "/ws");
  EXPECT_EQ(Load(Yaml("# nothing\n")).gateway().path(), "/ws");
  EXPECT_EQ(Load(Yaml("gateway:\n  tls:\n")).gateway().path(), "/ws");
}

TEST(ConfigTest, OtherVariablesAreNobodysBusiness) {
  ConfigSources sources;
  sources.environment = {"PATH=/bin", "WSROUTERS=1", "WSROUTE_GATEWAY=1", "EMPTY", ""};
  Load(sources);
}

TEST(ConfigTest, VariablesOfKubernetesServicesAreNoKeys) {
  ConfigSources sources;
  sources.environment = {"WSROUTER_SERVICE_HOST=10.0.0.1",
                         "WSROUTER_SERVICE_PORT=8080",
                         "WSROUTER_SERVICE_PORT_WS=8080",
                         "WSROUTER_PORT=tcp://10.0.0.1:8080",
                         "WSROUTER_PORT_8080_TCP=tcp://10.0.0.1:8080",
                         "WSROUTER_PORT_8080_TCP_PROTO=tcp",
                         "WSROUTER_GRPC_PORT_9090_TCP_ADDR=10.0.0.2"};
  Load(sources);
}

TEST(ConfigTest, ServerIdFallsBackToTheGivenOne) {
  ConfigSources sources;
  sources.default_server_id = "host:4711";
  EXPECT_EQ(Load(sources).node().server_id(), "host:4711");
  sources.settings = {"node.server_id=gw-1"};
  EXPECT_EQ(Load(sources).node().server_id(), "gw-1");
}

TEST(ConfigTest, DefaultServerIdIsAlwaysAServerId) {
  EXPECT_EQ(DefaultServerId("host.example", 4711), "host.example:4711");
  for (const std::string& hostname :
       {std::string(300, 'h'), std::string("b\xC3\xB6se host"), std::string()}) {
    ConfigSources sources;
    sources.settings = {"node.server_id=" + DefaultServerId(hostname, 4'194'304)};
    Load(sources);
  }
}

TEST(ConfigTest, EffectiveConfigLoadsAsTheSame) {
  ConfigSources sources;
  sources.default_server_id = "host:1";
  sources.settings = {"gateway.listen=127.0.0.1:0,[::1]:0", "gateway.ping_interval=1.5m",
                      "drain.notice=250ms", "limits.slow_consumer_policy=disconnect",
                      "redis.prefix=a \"b\" # c: \xC3\xA4"};
  const v1::Config config = Load(sources);
  const std::string yaml = EffectiveConfig(config);
  EXPECT_TRUE(MessageDifferencer::Equals(Load(Yaml(yaml)), config)) << yaml;
}

TEST(ConfigTest, EffectiveConfigShowsEveryKey) {
  const std::string yaml = EffectiveConfig(Load());
  for (const ConfigKeyField& key : ConfigKeys()) {
    EXPECT_THAT(yaml, HasSubstr(key.field->name() + ":"));
  }
}

TEST(ConfigTest, EffectiveConfigBlanksThePasswordOfAUrl) {
  v1::Config config = Load();
  config.mutable_redis()->set_url("redis://user:p@ss:word@redis:6379/0");
  const std::string yaml = EffectiveConfig(config);
  EXPECT_THAT(yaml, HasSubstr("redis://user:***@redis:6379/0"));
  EXPECT_EQ(yaml.find("ss:word"), std::string::npos);
}

TEST(ConfigTest, EffectiveConfigBlanksASecretThatIsNoUrl) {
  v1::Config config = Load();
  config.mutable_redis()->set_url("sesame");
  EXPECT_EQ(EffectiveConfig(config).find("sesame"), std::string::npos);
}

TEST(ConfigTest, TheSampleHasEveryKeyWithItsDefault) {
  absl::StatusOr<ConfigSources::File> file =
      ReadConfigFile(WSROUTER_SOURCE_DIR "/deploy/config/wsrouter.yaml");
  ASSERT_TRUE(file.ok()) << file.status();
  ConfigSources sources;
  sources.file = *file;
  EXPECT_TRUE(MessageDifferencer::Equals(Load(sources), Load()));
  for (const ConfigKeyField& key : ConfigKeys()) {
    EXPECT_THAT(file->yaml, HasSubstr("\n" + std::string(2 * key.sections.size(), ' ') +
                                      key.field->name() + ": "));
  }
}

TEST(ConfigTest, AFileThatIsNotThereIsNamed) {
  EXPECT_THAT(std::string(ReadConfigFile("/nowhere/w.yaml").status().message()),
              HasSubstr("/nowhere/w.yaml"));
  EXPECT_FALSE(ReadConfigFile("/").ok());
}

}  // namespace
}  // namespace wsrouter
