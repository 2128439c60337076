// wss over real sockets, with a certificate that the test makes itself.

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/self_signed.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {
namespace {

class GatewayTlsTest : public ::testing::Test {
 protected:
  static TestGateway::Settings WithTls() {
    TestGateway::Settings settings;
    settings.gateway.tls_cert_file = Certificate().cert_file();
    settings.gateway.tls_key_file = Certificate().key_file();
    settings.gateway.upgrade_timeout = absl::Seconds(1);
    settings.limits.slow_consumer_bytes = size_t{16} << 20;
    return settings;
  }
  static const SelfSigned& Certificate() {
    static const SelfSigned certificate;
    return certificate;
  }

  TestGateway gateway_{WithTls()};
};

TEST_F(GatewayTlsTest, Tls12And13AreSpokenAndOlderOnesRefused) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    RawClient client(gateway_.address(), {.tls = true, .tls_version_max = version});
    ASSERT_TRUE(client.connected());
    EXPECT_EQ(client.tls_version(), version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
    ASSERT_TRUE(client.Upgrade("/echo"));
    ASSERT_TRUE(client.Send(ClientText("secret")));
    EXPECT_EQ(client.ReadFrame(), "text secret");
    ASSERT_TRUE(client.Send(ClientClose(1000)));
    EXPECT_EQ(client.ReadFrame(), "close 1000 ");
    EXPECT_EQ(client.ReadFrame(), "end");
    EXPECT_TRUE(client.tls_ended_well());
  }
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    EXPECT_FALSE(
        RawClient(gateway_.address(), {.tls = true, .tls_version_max = version}).connected());
  }
}

TEST_F(GatewayTlsTest, HandshakeSaysThatItWasTls) {
  const TestConnection client = gateway_.Open({.tls = true});
  EXPECT_TRUE(gateway_.events().AwaitOf<event::Connected>(client.id).handshake->tls);
}

TEST_F(GatewayTlsTest, PlainHttpOnTheTlsPortEndsAtOnce) {
  const absl::Duration begin = SystemClock().Now().uptime;
  RawClient client(gateway_.address());
  ASSERT_TRUE(client.Send(UpgradeRequest("/ws")));
  EXPECT_EQ(client.ReadToEnd().find("101"), std::string::npos);
  EXPECT_LT(SystemClock().Now().uptime - begin, absl::Seconds(1));
}

TEST_F(GatewayTlsTest, SilentAndHalfHandshakesEndInUpgradeTimeout) {
  RawClient silent(gateway_.address());
  RawClient half(gateway_.address());
  ASSERT_TRUE(half.Send("\x16\x03\x01\x02"));
  EXPECT_EQ(silent.ReadToEnd(), "");
  EXPECT_EQ(half.ReadToEnd(), "");
  RawClient no_request(gateway_.address(), {.tls = true});
  EXPECT_EQ(no_request.ReadToEnd(), "");
}

TEST(GatewayCertificateTest, ChangesUnderLoadAndABadPairChangesNothing) {
  const SelfSigned first;
  const SelfSigned second;
  const SelfSigned served;  // its files are replaced
  const auto put = [&](const std::string& from, const std::string& to) {
    std::filesystem::copy_file(from, to + ".new",
                               std::filesystem::copy_options::overwrite_existing);
    std::filesystem::rename(to + ".new", to);
  };
  put(first.cert_file(), served.cert_file());
  put(first.key_file(), served.key_file());
  TestGateway::Settings settings;
  settings.gateway.tls_cert_file = served.cert_file();
  settings.gateway.tls_key_file = served.key_file();
  settings.gateway.shards = 2;
  TestGateway gateway(std::move(settings));
  std::vector<TestConnection> before;
  for (int i = 0; i < 20; ++i) {
    before.push_back(gateway.Online("c" + std::to_string(i), {"room"}, {.tls = true}));
  }
  const std::string old = before[0].socket.certificate();

  put(second.cert_file(), served.cert_file());  // its key is not there yet
  const auto shown = [&] {
    RawClient client(gateway.address(), {.tls = true});
    EXPECT_TRUE(client.connected());
    EXPECT_TRUE(client.Upgrade("/ws"));
    return client.certificate();
  };
  for (int i = 0; i < 50; ++i) EXPECT_EQ(shown(), old);
  put(second.key_file(), served.key_file());
  int in_a_row = 0;
  EXPECT_TRUE(Eventually([&] { return (in_a_row = shown() == old ? 0 : in_a_row + 1) >= 4; }));
  EXPECT_EQ(gateway.Push("room", "still there").queued, 20u);
  for (TestConnection& client : before) EXPECT_EQ(client.socket.ReadFrame(), "text still there");
}

TEST(GatewayPlainTest, TlsOnThePlainPortEndsAtOnce) {
  TestGateway gateway;
  const absl::Duration begin = SystemClock().Now().uptime;
  EXPECT_FALSE(RawClient(gateway.address(), {.tls = true}).connected());
  EXPECT_LT(SystemClock().Now().uptime - begin, absl::Seconds(1));
}

TEST_F(GatewayTlsTest, FramesReachASlowReaderOctetForOctet) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const std::string name = "slow" + std::to_string(version);
    TestConnection client = gateway_.Online(
        name, {name}, {.receive_bytes = 4096, .tls = true, .tls_version_max = version});
    std::vector<std::string> payloads;
    for (const size_t size : {size_t{100}, size_t{65'530}, size_t{200'001}, size_t{4} << 20}) {
      std::string payload(size, '\0');
      for (size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(i * 7 + i / 251);
      EXPECT_EQ(gateway_.Push(name, payload, Opcode::kBinary).queued, 1u);
      payloads.push_back(std::move(payload));
    }
    for (const std::string& payload : payloads) {
      EXPECT_TRUE(client.socket.ReadFrame() == "binary " + payload) << payload.size();
    }
  }
}

TEST_F(GatewayTlsTest, ManyPingsAndABigMessageAreAnswered) {
  RawClient client = gateway_.OpenEcho({.tls = true});
  std::string packet;
  for (int i = 0; i < 1000; ++i) packet += ClientPing(std::to_string(i));
  ASSERT_TRUE(client.Send(packet + ClientText(std::string(60'000, 'x'))));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(client.ReadFrame(), "pong " + std::to_string(i));
  EXPECT_EQ(client.ReadFrame(), "text " + std::string(60'000, 'x'));
}

TEST_F(GatewayTlsTest, CloseIsReadAlsoByAClientThatSendsOnAfterItsFault) {
  RawClient client = gateway_.OpenEcho({.tls = true});
  ASSERT_TRUE(client.Send(ClientFrameOf(0xC1, "bad")));
  const std::string payload(64 << 10, 'x');
  for (int i = 0; i < 16 && client.SendSome(payload) > 0; ++i) {
  }
  EXPECT_EQ(client.ReadFrame(), "close 1002 a reserved bit is set");
  EXPECT_EQ(client.ReadFrame(), "end");
  EXPECT_TRUE(client.tls_ended_well());
}

TEST_F(GatewayTlsTest, ResetsInEveryPhaseLeaveNothingBehind) {
  { RawClient warm = gateway_.OpenEcho({.tls = true}); }
  ASSERT_TRUE(Eventually([&] { return gateway_.Gauges().connections == 0; }));
  const size_t descriptors = OpenDescriptors();
  for (int i = 0; i < 60; ++i) {
    RawClient client(gateway_.address(), {.tls = i % 3 != 0});
    if (i % 3 == 0) client.Send("\x16\x03\x01");
    if (i % 3 == 1) client.Send(UpgradeRequest("/ws"));
    if (i % 3 == 2) (void)client.Upgrade("/ws");
    client.Reset();
  }
  EXPECT_TRUE(Eventually(
      [&] { return OpenDescriptors() <= descriptors && gateway_.Gauges().connections == 0; }));
}

TEST_F(GatewayTlsTest, StopClosesWith1012) {
  TestConnection client = gateway_.Open({.tls = true});
  gateway_.gateway().Stop(absl::Milliseconds(300));
  EXPECT_EQ(client.socket.ReadFrame(), "close 1012 node is stopping");
}

}  // namespace
}  // namespace wsrouter
