// Every key of config.proto through each source.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config.h"
#include "config_key.h"
#include "config_value.h"

namespace wsrouter {
namespace {

using ::google::protobuf::FieldDescriptor;
using ::testing::ElementsAreArray;

using Texts = std::vector<std::string>;

// A value of the key that is not its default.
Texts OtherValue(const ConfigKeyField& key) {
  if (key.path == "control.listen") return {"127.0.0.1:7000"};
  switch (key.rules->format()) {
    case v1::CONFIG_FORMAT_LISTEN:
      return {"127.0.0.2:0"};
    case v1::CONFIG_FORMAT_URL_PATH:
      return {"/other"};
    case v1::CONFIG_FORMAT_FILE:
      return {"/etc/passwd"};
    case v1::CONFIG_FORMAT_ORIGIN:
      return {"https://a.example", "http://localhost:3000"};
    case v1::CONFIG_FORMAT_TOKEN:
      if (!key.field->is_repeated()) return {"x-first"};
      return {"x-first", "x-second"};
    case v1::CONFIG_FORMAT_REDIS_URL:
      return {"redis+unix:///run/redis.sock"};
    case v1::CONFIG_FORMAT_SEAL_KEY:
      return {"a:0123456789abcdef0123456789abcdef", "b:fedcba9876543210fedcba9876543210"};
    case v1::CONFIG_FORMAT_NETWORK:
      return {"10.0.0.0/8", "2001:db8::7"};
    case v1::CONFIG_FORMAT_ISSUER:
      return {"id RS256 /etc/passwd", "- EdDSA https://id.example/jwks.json id:"};
    case v1::CONFIG_FORMAT_ENDPOINT:
      return {"sentinel-0.example:26379", "[::1]:26379"};
    case v1::CONFIG_FORMAT_RATE:
      return {"100/1s"};
    case v1::CONFIG_FORMAT_NAMESPACE:
      return {"chat: room_rate=50/1s client_rate=5/1s", "dm: on_limit=disconnect"};
    case v1::CONFIG_FORMAT_NAMED_ROLE:
      return {"chat publish", "spiffe://example.org/ops admin"};
    case v1::CONFIG_FORMAT_BACKEND_ROUTE:
      return {"/chat dns:///chat:50051", "/dev attached"};
    case v1::CONFIG_FORMAT_BACKEND_METHOD:
      return {"Message"};
    default:
      break;
  }
  switch (key.field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return {key.rules->default_value() == "true" ? "false" : "true"};
    case FieldDescriptor::CPPTYPE_ENUM:
      if (key.path == "backend.connect_outage") return {"hold"};
      if (key.path == "backend.message_outage") return {"drop"};
      if (key.path == "history.reliable") return {"always"};
      if (key.path == "auth.session_cookie_form") return {"hex"};
      return {key.path == "log.level" ? "debug" : "disconnect"};
    case FieldDescriptor::CPPTYPE_STRING:
      return {"other"};
    default:
      return {key.rules->max()};
  }
}

// What must be set with the key for the rules between keys.
Texts Companions(const ConfigKeyField& key) {
  if (key.path == "gateway.tls.cert_file") return {"gateway.tls.key_file=/etc/passwd"};
  if (key.path == "auth.session_cookie_secrets") return {"gateway.allowed_origins=*"};
  if (key.path == "redis.tls.cert_file") return {"redis.tls.key_file=/etc/passwd"};
  if (key.path == "redis.tls.key_file") return {"redis.tls.cert_file=/etc/passwd"};
  if (key.path == "gateway.tls.key_file") return {"gateway.tls.cert_file=/etc/passwd"};
  if (key.path == "backend.tls_cert_file") {
    return {"backend.tls_key_file=/etc/passwd", "backend.tls_ca_file=/etc/passwd"};
  }
  if (key.path == "backend.tls_key_file") {
    return {"backend.tls_cert_file=/etc/passwd", "backend.tls_ca_file=/etc/passwd"};
  }
  if (key.path == "control.tls.cert_file") return {"control.tls.key_file=/etc/passwd"};
  if (key.path == "control.tls.key_file") return {"control.tls.cert_file=/etc/passwd"};
  if (key.path == "control.tls.client_ca_file" || key.path == "control.client_names") {
    return {"control.tls.cert_file=/etc/passwd", "control.tls.key_file=/etc/passwd",
            key.path == "control.client_names" ? "control.tls.client_ca_file=/etc/passwd"
                                               : "control.tokens_file=/etc/passwd"};
  }
  if (key.path == "limits.payload_bytes_max") {
    return {"control.message_bytes_max=256MiB", "limits.slow_consumer_bytes=1GiB"};
  }
  if (key.path == "gateway.message_bytes_max") return {"control.message_bytes_max=256MiB"};
  if (key.path == "redis.heartbeat") return {"redis.lease=15m"};
  for (const char* part : {"drain.notice", "drain.window", "gateway.close_timeout"}) {
    if (key.path == part) return {"drain.deadline=2h"};
  }
  return {};
}

std::string YamlOf(const ConfigKeyField& key, const Texts& texts) {
  std::string yaml;
  std::string indent;
  for (const FieldDescriptor* section : key.sections) {
    yaml += fmt::format("{}{}:\n", indent, section->name());
    indent += "  ";
  }
  const std::string value = key.field->is_repeated()
                                ? fmt::format("[\"{}\"]", fmt::join(texts, "\", \""))
                                : texts.front();
  return yaml + fmt::format("{}{}: {}\n", indent, key.field->name(), value);
}

void ExpectLoads(const ConfigKeyField& key, const Texts& texts, ConfigSources sources) {
  const Texts companions = Companions(key);
  sources.settings.insert(sources.settings.end(), companions.begin(), companions.end());
  const absl::StatusOr<v1::Config> config = LoadConfig(sources);
  ASSERT_TRUE(config.ok()) << key.path << ": " << config.status();
  EXPECT_THAT(ConfigValueOf(key, *config), ElementsAreArray(texts)) << key.path;
}

TEST(ConfigSourcesTest, EveryKeyComesThroughTheFile) {
  for (const ConfigKeyField& key : ConfigKeys()) {
    const Texts texts = OtherValue(key);
    ExpectLoads(key, texts, {.file = ConfigSources::File{.name = "f", .yaml = YamlOf(key, texts)}});
  }
}

TEST(ConfigSourcesTest, EveryKeyComesThroughTheEnvironment) {
  for (const ConfigKeyField& key : ConfigKeys()) {
    const Texts texts = OtherValue(key);
    ExpectLoads(key, texts,
                {.environment = {fmt::format("{}={}", key.variable, fmt::join(texts, ","))}});
  }
}

TEST(ConfigSourcesTest, EveryKeyThatIsNoSecretComesThroughASetting) {
  for (const ConfigKeyField& key : ConfigKeys()) {
    if (key.rules->secret()) continue;
    const Texts texts = OtherValue(key);
    ExpectLoads(key, texts, {.settings = {fmt::format("{}={}", key.path, fmt::join(texts, ","))}});
  }
}

TEST(ConfigSourcesTest, EveryOtherValueIsNotTheDefault) {
  const absl::StatusOr<v1::Config> defaults = LoadConfig({});
  ASSERT_TRUE(defaults.ok());
  for (const ConfigKeyField& key : ConfigKeys()) {
    EXPECT_NE(ConfigValueOf(key, *defaults), OtherValue(key)) << key.path;
  }
}

TEST(ConfigSourcesTest, EveryBoundOfANumberIsHeld) {
  for (const ConfigKeyField& key : ConfigKeys()) {
    if (key.field->cpp_type() == FieldDescriptor::CPPTYPE_STRING || key.rules->max().empty()) {
      continue;
    }
    v1::Config config;
    EXPECT_TRUE(SetConfigValue(key, {key.rules->min()}, config).ok()) << key.path;
    EXPECT_TRUE(SetConfigValue(key, {key.rules->max()}, config).ok()) << key.path;
    const bool duration = key.field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    const std::string beyond = duration ? "100000h" : "999999999999999";
    EXPECT_FALSE(SetConfigValue(key, {beyond}, config).ok()) << key.path;
    if (key.rules->min() != "0") {
      EXPECT_FALSE(SetConfigValue(key, {"0"}, config).ok()) << key.path;
    }
  }
}

}  // namespace
}  // namespace wsrouter
