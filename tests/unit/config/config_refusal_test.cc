// What is refused, and that the one line says which key and where it came from.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "config.h"

namespace wsrouter {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string Refusal(const ConfigSources& sources) {
  const absl::StatusOr<v1::Config> config = LoadConfig(sources);
  if (config.ok()) return "(accepted)";
  std::string message(config.status().message());
  EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  return message;
}

std::string RefusalOfYaml(std::string yaml) {
  return Refusal({.file = ConfigSources::File{.name = "w.yaml", .yaml = std::move(yaml)}});
}

std::string RefusalOfSetting(std::string setting) {
  return Refusal({.settings = {std::move(setting)}});
}

TEST(ConfigRefusalTest, UnknownKeyOfTheFileIsNamedWithItsLine) {
  EXPECT_EQ(RefusalOfYaml("gateway:\n  path: /ws\n  listn: [a]\n"),
            "gateway.listn (w.yaml:3): unknown key");
  EXPECT_EQ(RefusalOfYaml("gatway:\n  path: /ws\n"), "gatway (w.yaml:1): unknown key");
}

TEST(ConfigRefusalTest, UnknownVariableIsNamed) {
  EXPECT_EQ(Refusal({.environment = {"WSROUTER_GATEWAY_LISTN=a"}}),
            "WSROUTER_GATEWAY_LISTN (environment): unknown key");
  EXPECT_EQ(Refusal({.environment = {"WSROUTER_CONTROL_PORT=9090"}}),
            "WSROUTER_CONTROL_PORT (environment): unknown key");
}

TEST(ConfigRefusalTest, UnknownSettingIsNamed) {
  EXPECT_EQ(RefusalOfSetting("gateway.listn=a"), "gateway.listn (--set): unknown key");
  EXPECT_EQ(RefusalOfSetting("gateway=a"), "gateway (--set): unknown key");
  EXPECT_EQ(RefusalOfSetting("a\nb=c"), "a\\nb (--set): unknown key");
}

TEST(ConfigRefusalTest, SettingWithoutAValueIsRefused) {
  EXPECT_EQ(RefusalOfSetting("gateway.path"), "gateway.path (--set): wanted gateway.path=value");
}

TEST(ConfigRefusalTest, KeyThatComesTwiceIsNamedWithItsSecondLine) {
  EXPECT_EQ(RefusalOfYaml("gateway:\n  path: /a\n  path: /b\n"),
            "gateway.path (w.yaml:3): comes twice");
  EXPECT_EQ(RefusalOfYaml("gateway:\n  path: /a\ngateway:\n  path: /b\n"),
            "gateway (w.yaml:3): comes twice");
}

TEST(ConfigRefusalTest, WrongShapeIsRefused) {
  EXPECT_EQ(RefusalOfYaml("gateway: 5\n"), "gateway (w.yaml:1): wanted a section with keys in it");
  EXPECT_EQ(RefusalOfYaml("- gateway\n"), "the file (w.yaml:1): wanted a section with keys in it");
  EXPECT_EQ(RefusalOfYaml("gateway:\n  path: [/ws]\n"),
            "gateway.path (w.yaml:2): wanted a single value");
  EXPECT_EQ(RefusalOfYaml("gateway:\n  path:\n"),
            "gateway.path (w.yaml:2): wanted a value, got nothing");
  EXPECT_EQ(RefusalOfYaml("gateway:\n  listen: 0.0.0.0:80\n"),
            "gateway.listen (w.yaml:2): wanted a list");
  EXPECT_EQ(RefusalOfYaml("gateway:\n  listen: [[a]]\n"),
            "gateway.listen (w.yaml:2): wanted a list of single values");
  EXPECT_THAT(RefusalOfYaml("gateway:\n  ? [a]\n  : b\n"), HasSubstr("wanted a text as key"));
}

TEST(ConfigRefusalTest, WhatIsNotYamlIsRefusedWithItsLine) {
  EXPECT_THAT(RefusalOfYaml("gateway:\n  listen: [a, \n"), StartsWith("w.yaml:"));
  EXPECT_THAT(RefusalOfYaml("a: 1\n---\nb: 2\n"), HasSubstr("one YAML document"));
  EXPECT_THAT(RefusalOfYaml(std::string(100'000, '[')), StartsWith("w.yaml:"));
}

TEST(ConfigRefusalTest, WrongTypesAndRangesSayWhatWasWanted) {
  EXPECT_EQ(RefusalOfSetting("node.shards=many"),
            "node.shards (--set): wanted a whole number, 0 to 256, got \"many\"");
  EXPECT_EQ(RefusalOfYaml("node:\n  shards: 257\n"),
            "node.shards (w.yaml:2): wanted a whole number, 0 to 256, got \"257\"");
  EXPECT_EQ(Refusal({.environment = {"WSROUTER_GATEWAY_AUTH_TIMEOUT=10"}}),
            "gateway.auth_timeout (WSROUTER_GATEWAY_AUTH_TIMEOUT): wanted a duration such as "
            "250ms, 10s or 1.5h, 1s to 1h, got \"10\"");
  EXPECT_EQ(RefusalOfSetting("log.level=trace"),
            "log.level (--set): wanted one of debug, info, warn, error, got \"trace\"");
  EXPECT_EQ(RefusalOfSetting("log.level=unspecified"),
            "log.level (--set): wanted one of debug, info, warn, error, got \"unspecified\"");
  EXPECT_EQ(RefusalOfSetting("control.insecure_control=yes"),
            "control.insecure_control (--set): wanted true or false, got \"yes\"");
  EXPECT_EQ(RefusalOfSetting("gateway.message_bytes_max=17MiB"),
            "gateway.message_bytes_max (--set): wanted a number of octets such as 64KiB, 125 to "
            "16MiB, got \"17MiB\"");
  EXPECT_EQ(RefusalOfSetting("gateway.listen="),
            "gateway.listen (--set): wanted a list, in elements, 1 to 16, got 0 elements");
  EXPECT_EQ(RefusalOfSetting("redis.prefix="),
            "redis.prefix (--set): wanted a text, in octets, 1 to 64, got 0 octets");
}

TEST(ConfigRefusalTest, NumbersAreNothingButDigits) {
  for (const std::string_view bad :
       {"", "-1", "+1", " 1", "1 ", "0x10", "1e3", "1.0", "18446744073709551616", "1KiB"}) {
    EXPECT_NE(RefusalOfSetting("limits.owner_capacity=" + std::string(bad)), "(accepted)") << bad;
  }
  for (const std::string_view bad : {"KiB", "1kib", "1KB", "1K", "18446744073709551615KiB"}) {
    EXPECT_NE(RefusalOfSetting("limits.slow_consumer_bytes=" + std::string(bad)), "(accepted)")
        << bad;
  }
}

TEST(ConfigRefusalTest, DurationsAreOneNumberAndOneUnit) {
  for (const std::string_view bad : {"", "s", ".s", "1.s", ".5s", "1m30s", "-1s", "+1s", "1 s",
                                     "1d", "1us", "inf", "1e3s", "99999999999999999999h"}) {
    EXPECT_NE(RefusalOfSetting("gateway.auth_timeout=" + std::string(bad)), "(accepted)") << bad;
  }
}

TEST(ConfigRefusalTest, FormatsAreHeld) {
  for (const std::string_view bad : {"gateway.listen=8080",
                                     "gateway.listen=:8080",
                                     "gateway.listen=host:80",
                                     "gateway.listen=0.0.0.0:65536",
                                     "gateway.listen=::1:80",
                                     "gateway.listen=[::1]",
                                     "gateway.listen=0.0.0.0:80,",
                                     "gateway.path=ws",
                                     "gateway.path=/a?b",
                                     "gateway.path=/a b",
                                     "gateway.page_file=/nowhere",
                                     "gateway.page_file=/etc",
                                     "gateway.allowed_origins=www.example.org",
                                     "gateway.allowed_origins=https://A.example",
                                     "gateway.allowed_origins=https://a.example/",
                                     "gateway.allowed_origins=https://a:99999",
                                     "gateway.subprotocols=a b",
                                     "gateway.event_headers=a:b",
                                     "node.server_id=a/b",
                                     "node.server_id=a b",
                                     "redis.prefix=a\tb",
                                     "redis.prefix=\xFF"}) {
    EXPECT_THAT(RefusalOfSetting(std::string(bad)),
                StartsWith(std::string(bad.substr(0, bad.find('='))) + " (--set): wanted "));
  }
}

TEST(ConfigRefusalTest, AShownValueIsEscapedAndCut) {
  const std::string message = RefusalOfSetting("gateway.path=\n\"" + std::string(1000, 'x'));
  EXPECT_LT(message.size(), 300u);
  EXPECT_NE(RefusalOfSetting("gateway.path=a\nb").find("\"a\\nb\""), std::string::npos);
}

TEST(ConfigRefusalTest, RedisUrlThatIsWrongIsNotShown) {
  const std::string secret = "redis://user:sesame@redis:port";
  const std::string file = RefusalOfYaml("redis:\n  url: " + secret + "\n");
  EXPECT_THAT(file, AllOf(StartsWith("redis.url (w.yaml:2): "), HasSubstr("wanted redis://"),
                          Not(HasSubstr("sesame"))));
  const std::string variable = Refusal({.environment = {"WSROUTER_REDIS_URL=" + secret}});
  EXPECT_THAT(variable,
              AllOf(StartsWith("redis.url (WSROUTER_REDIS_URL): "), Not(HasSubstr("sesame"))));
}

TEST(ConfigRefusalTest, LeaseMustOutlastTwoLostHeartbeats) {
  EXPECT_EQ(RefusalOfSetting("redis.heartbeat=4s"),
            "redis.lease: must be at least three times redis.heartbeat, 4s, got 10s");
}

TEST(ConfigRefusalTest, ASecretIsNotTakenFromTheCommandLine) {
  EXPECT_EQ(RefusalOfSetting("redis.url=redis://:sesame@redis"),
            "redis.url (--set): a secret, wanted from the file or from WSROUTER_REDIS_URL");
}

TEST(ConfigRefusalTest, RulesBetweenKeysAreHeld) {
  EXPECT_THAT(RefusalOfSetting("gateway.echo_path=/ws"), StartsWith("gateway.echo_path: "));
  EXPECT_THAT(RefusalOfSetting("gateway.event_headers=Cookie"),
              StartsWith("gateway.event_headers: "));
  EXPECT_THAT(RefusalOfSetting("gateway.tls.cert_file=/etc/passwd"),
              StartsWith("gateway.tls.key_file: "));
  EXPECT_THAT(RefusalOfSetting("gateway.tls.key_file=/etc/passwd"),
              StartsWith("gateway.tls.cert_file: "));
  EXPECT_EQ(RefusalOfSetting("limits.payload_bytes_max=4033KiB"),
            "limits.payload_bytes_max: must be smaller than control.message_bytes_max, 4MiB, by "
            "64KiB at least, got 4033KiB");
  EXPECT_EQ(RefusalOfSetting("gateway.message_bytes_max=4033KiB"),
            "gateway.message_bytes_max: must be smaller than control.message_bytes_max, 4MiB, by "
            "64KiB at least, got 4033KiB");
  EXPECT_EQ(RefusalOfSetting("gateway.message_bytes_max=4032KiB"), "(accepted)");
  EXPECT_THAT(RefusalOfSetting("limits.slow_consumer_bytes=1MiB"),
              StartsWith("limits.slow_consumer_bytes: "));
  EXPECT_EQ(RefusalOfSetting("drain.window=19500ms"),
            "drain.deadline: must be at least drain.notice, drain.window, gateway.close_timeout "
            "and 1s together, 30500ms, got 30s");
  EXPECT_EQ(RefusalOfSetting("drain.window=19s"), "(accepted)");
}

TEST(ConfigRefusalTest, ControlBeyondLoopbackNeedsAWord) {
  for (const std::string_view far : {"0.0.0.0:9090", "[::]:9090", "10.0.0.1:9090"}) {
    const std::string setting = "control.listen=" + std::string(far);
    EXPECT_THAT(RefusalOfSetting(setting), StartsWith("control.listen: "));
    EXPECT_EQ(Refusal({.settings = {setting, "control.insecure_control=true"}}), "(accepted)");
  }
  for (const std::string_view near : {"127.0.0.2:0", "[::1]:0", "localhost:0"}) {
    EXPECT_EQ(RefusalOfSetting("control.listen=" + std::string(near)), "(accepted)");
  }
}

TEST(ConfigRefusalTest, ControlBeyondLoopbackWantsTlsAndARule) {
  const std::string far = "control.listen=0.0.0.0:9090";
  const std::string cert = "control.tls.cert_file=/etc/passwd";
  const std::string key = "control.tls.key_file=/etc/passwd";
  const std::string ca = "control.tls.client_ca_file=/etc/passwd";
  const std::string names = "control.client_names=chat publish";
  const std::string tokens = "control.tokens_file=/etc/passwd";
  EXPECT_THAT(Refusal({.settings = {far, cert, key}}), HasSubstr("nothing says who may call"));
  EXPECT_THAT(Refusal({.settings = {far, tokens}}),
              HasSubstr("control.tokens_file without control.tls sends tokens in plain text"));
  EXPECT_EQ(Refusal({.settings = {far, tokens, "control.insecure_control=true"}}), "(accepted)");
  EXPECT_EQ(RefusalOfSetting(tokens), "(accepted)");
  EXPECT_EQ(Refusal({.settings = {far, cert, key, tokens}}), "(accepted)");
  EXPECT_EQ(Refusal({.settings = {far, cert, key, ca, names}}), "(accepted)");
}

TEST(ConfigRefusalTest, CredentialsOfTheControlPortBelongTogether) {
  const std::string cert = "control.tls.cert_file=/etc/passwd";
  const std::string key = "control.tls.key_file=/etc/passwd";
  const std::string ca = "control.tls.client_ca_file=/etc/passwd";
  EXPECT_THAT(RefusalOfSetting(cert), StartsWith("control.tls.key_file: must be set"));
  EXPECT_THAT(RefusalOfSetting(key), StartsWith("control.tls.cert_file: must be set"));
  EXPECT_THAT(RefusalOfSetting(ca), StartsWith("control.tls.client_ca_file: wants"));
  EXPECT_THAT(Refusal({.settings = {cert, key, ca}}),
              StartsWith("control.tls.client_ca_file: wants control.client_names or"));
  EXPECT_THAT(Refusal({.settings = {cert, key, "control.client_names=chat publish"}}),
              StartsWith("control.client_names: wants control.tls.client_ca_file"));
  for (const char* bad : {"chat", "chat root", " publish"}) {
    EXPECT_THAT(RefusalOfSetting(std::string("control.client_names=") + bad),
                HasSubstr("<name> <role> with a role of read, publish or admin"));
  }
}

TEST(ConfigRefusalTest, RoutesToServicesAreCheckedAndNamed) {
  for (const char* route :
       {"/chat", "chat dns:///chat:1", "/chat  attached", "/chat a b", "/a?b c"}) {
    EXPECT_THAT(RefusalOfSetting(std::string("backend.routes=") + route),
                AllOf(StartsWith("backend.routes (--set): "), HasSubstr("a path, a blank")));
  }
  const std::string long_prefix(256, 'x');
  for (const std::string& rooms :
       {std::string("attached rooms="), std::string("attached rooms=a rooms=b"),
        std::string("attached rooms=a b"), std::string("attached rooms"),
        std::string("attached rooms a:"), std::string("attached Rooms=a:"),
        std::string("attached  rooms=a:"), std::string("attached rooms= a:"),
        std::string("rooms=a:"), std::string("rooms=a: attached"),
        std::string("attached rooms=a:\x7f"), std::string("attached rooms=\xff"),
        std::string("attached rooms=a: "), std::string("attached room=a:"),
        "attached rooms=" + long_prefix}) {
    EXPECT_THAT(RefusalOfSetting("backend.routes=/chat " + rooms),
                AllOf(StartsWith("backend.routes (--set): "), HasSubstr("rooms=<prefix>")))
        << rooms;
  }
  EXPECT_THAT(RefusalOfSetting("backend.routes=/a x:1,/a attached"),
              HasSubstr("backend.routes: must not have two routes for /a"));
  EXPECT_THAT(RefusalOfSetting("backend.methods=connect"), HasSubstr("Connect, Message"));
  EXPECT_THAT(RefusalOfSetting("backend.methods="), StartsWith("backend.methods (--set): "));
  EXPECT_THAT(RefusalOfSetting("backend.tls_cert_file=/dev/null"),
              HasSubstr("backend.tls_key_file: must be set"));
}

}  // namespace
}  // namespace wsrouter
