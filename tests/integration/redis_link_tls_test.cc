// A link over TLS: whom it believes, and that nothing is lost in it.
#include <filesystem>
#include <string>

#include "absl/synchronization/blocking_counter.h"
#include "base/strings.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/linked.h"
#include "tests/support/private_redis.h"
#include "tests/support/self_signed.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;

class RedisLinkTlsTest : public testing::Test {
 protected:
  RedisAddress AddressOf(const PrivateRedis& redis) const {
    RedisAddress address = ParseRedisUrl(redis.tcp_url()).value();
    address.tls.ca_file = certificate_.cert_file();
    address.tls.server_name = "localhost";
    return address;
  }
  // Why a link to there does not come up.
  static std::string RefusalAt(const RedisAddress& address) {
    Linked linked(address, Impatient());
    linked.link.Start(linked.watcher);
    return std::string(StdView(linked.watcher.WaitDowns(1).message()));
  }

  SelfSigned certificate_;
};

TEST_F(RedisLinkTlsTest, CarriesLargeAndManyRepliesBothWays) {
  const PrivateRedis redis(PrivateRedis::WithTls{}, certificate_.cert_file(),
                           certificate_.key_file());
  Linked linked(AddressOf(redis));
  linked.StartUp();
  const std::string large(3 << 20, 'x');
  EXPECT_TRUE(linked.Command({"SET", "large", large}).ok());
  EXPECT_EQ(linked.Command({"GET", "large"})->text(), large);
  constexpr int kCommands = 20'000;
  absl::BlockingCounter answered(kCommands);
  for (int i = 0; i < kCommands; ++i) {
    linked.link.Command({"INCR", "n"}, [&](const absl::StatusOr<RedisValue>& count) {
      EXPECT_TRUE(count.ok());
      answered.DecrementCount();
    });
  }
  answered.Wait();
  EXPECT_EQ(linked.Command({"GET", "n"})->text(), "20000");
  ASSERT_TRUE(linked.Subscribe("news").ok());
  EXPECT_EQ(linked.Command({"PUBLISH", "news", large})->integer(), 1);
  EXPECT_EQ(linked.watcher.WaitMessages(1)[0], "news " + large);
}

TEST_F(RedisLinkTlsTest, BelievesNoOtherAuthorityAndNoOtherName) {
  const PrivateRedis redis(PrivateRedis::WithTls{}, certificate_.cert_file(),
                           certificate_.key_file());
  const SelfSigned stranger;
  RedisAddress address = AddressOf(redis);
  address.tls.ca_file = stranger.cert_file();
  EXPECT_THAT(RefusalAt(address), HasSubstr("the server's certificate: "));
  address = AddressOf(redis);
  address.tls.server_name = "redis.example";
  EXPECT_THAT(RefusalAt(address), HasSubstr("hostname mismatch"));
  address = AddressOf(redis);
  address.tls.server_name.clear();
  EXPECT_THAT(RefusalAt(address), HasSubstr("IP address mismatch"));
  address = AddressOf(redis);
  address.tls.ca_file = "/nowhere/ca.pem";
  EXPECT_THAT(RefusalAt(address), HasSubstr("/nowhere/ca.pem"));
}

TEST_F(RedisLinkTlsTest, ShowsItsCertificateWhereRedisAsks) {
  const PrivateRedis redis(PrivateRedis::WithTls{}, certificate_.cert_file(),
                           certificate_.key_file(), true);
  RedisAddress address = AddressOf(redis);
  EXPECT_NE(RefusalAt(address), "");
  address.tls.cert_file = certificate_.cert_file();
  address.tls.key_file = certificate_.key_file();
  Linked linked(address);
  linked.StartUp();
  EXPECT_EQ(linked.Command({"ECHO", "hello"})->text(), "hello");
}

TEST_F(RedisLinkTlsTest, CertificatesAreReadAgainForEachConnection) {
  PrivateRedis redis(PrivateRedis::WithTls{}, certificate_.cert_file(), certificate_.key_file(),
                     true);
  RedisAddress address = AddressOf(redis);
  const std::string late = redis.folder() + "/late.pem";
  address.tls.cert_file = late;
  address.tls.key_file = certificate_.key_file();
  Linked linked(address, Impatient());
  linked.link.Start(linked.watcher);
  EXPECT_THAT(std::string(StdView(linked.watcher.WaitDowns(1).message())), HasSubstr("late.pem"));
  std::filesystem::copy_file(certificate_.cert_file(), late);
  linked.watcher.WaitUps(1);
}

TEST_F(RedisLinkTlsTest, PlainIsNotSpokenToATlsPort) {
  const PrivateRedis redis(PrivateRedis::WithTls{}, certificate_.cert_file(),
                           certificate_.key_file());
  RedisAddress address = AddressOf(redis);
  address.tls.on = false;
  EXPECT_NE(RefusalAt(address), "");
}

}  // namespace
}  // namespace wsrouter
