// Keys change while nodes run: in files, and behind URLs.
#include "auth/key_keeper.h"

#include <httplib.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "base/unique_fd.h"
#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/eventually.h"
#include "tests/support/token_signer.h"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;

class KeyKeeperTest : public testing::Test {
 protected:
  KeyKeeperTest() : folder_(testing::TempDir() + "wsrouter-keys-XXXXXX") {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  }
  ~KeyKeeperTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, std::string_view text) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path + ".new", std::ios::binary) << text;
    std::filesystem::rename(path + ".new", path);
    return path;
  }
  static KeyKeeper::Options Quick(std::vector<IssuerLine> lines) {
    return {.lines = std::move(lines),
            .file_period = absl::Milliseconds(5),
            .fetch_period = absl::Hours(1),
            .fetch_pause = absl::Milliseconds(5)};
  }
  static bool Verifies(KeyKeeper& keeper, const std::string& issuer, const TokenSigner& signer,
                       Algorithm algorithm) {
    const auto keys = keeper.Keys(issuer);
    if (keys == nullptr) return false;
    for (const VerificationKey* key : keys->Find(algorithm, "")) {
      if (key->Verifies("m", signer.Sign("m"))) return true;
    }
    return false;
  }

  std::string folder_;
  const SystemClock clock_;
};

TEST_F(KeyKeeperTest, AChangedFileIsReadAgainAndABadOneChangesNothing) {
  const TokenSigner first = TokenSigner::EdDsa();
  const TokenSigner second = TokenSigner::EdDsa();
  const std::string path = Write("key.pem", first.PublicPem());
  auto keeper = KeyKeeper::Start(
      Quick({{.issuer = "id", .algorithm = Algorithm::kEdDsa, .keys = path}}), FetchByHttp, clock_);
  ASSERT_TRUE(keeper.ok()) << keeper.status();
  EXPECT_TRUE(Verifies(**keeper, "id", first, Algorithm::kEdDsa));
  Write("key.pem", "-----BEGIN PUBLIC KEY-----\nnonsense\n");
  Write("key.pem", "");
  std::filesystem::remove(path);
  EXPECT_TRUE(Verifies(**keeper, "id", first, Algorithm::kEdDsa));
  Write("key.pem", second.PublicPem());
  EXPECT_TRUE(Eventually([&] { return Verifies(**keeper, "id", second, Algorithm::kEdDsa); }));
  EXPECT_FALSE(Verifies(**keeper, "id", first, Algorithm::kEdDsa));
}

TEST_F(KeyKeeperTest, AnIssuersPlacesAreOneSetAndIssuersAreApart) {
  const TokenSigner es = TokenSigner::Es256();
  const std::string secret(32, 's');
  auto keeper = KeyKeeper::Start(
      Quick({{.issuer = "id", .algorithm = Algorithm::kEs256, .keys = Write("jwks", es.Jwk("k"))},
             {.issuer = "id", .algorithm = Algorithm::kHs256, .keys = Write("s", secret + "\n")},
             {.issuer = "other", .algorithm = Algorithm::kHs256, .keys = Write("o", secret)}}),
      FetchByHttp, clock_);
  ASSERT_TRUE(keeper.ok()) << keeper.status();
  EXPECT_TRUE(Verifies(**keeper, "id", es, Algorithm::kEs256));
  EXPECT_TRUE(Verifies(**keeper, "id", TokenSigner::Hs256(secret), Algorithm::kHs256));
  EXPECT_FALSE(Verifies(**keeper, "other", es, Algorithm::kEs256));
  EXPECT_EQ((*keeper)->Keys("nobody"), nullptr);
}

TEST_F(KeyKeeperTest, AMissingFileIsNamedAtTheStart) {
  const auto keeper = KeyKeeper::Start(
      Quick({{.issuer = "id", .algorithm = Algorithm::kEdDsa, .keys = folder_ + "/none"}}),
      FetchByHttp, clock_);
  ASSERT_FALSE(keeper.ok());
  EXPECT_THAT(std::string(keeper.status().message()), HasSubstr("/none"));
}

TEST_F(KeyKeeperTest, AnUnknownKeyIsFetchedForAndNoMoreOftenThanThePause) {
  const TokenSigner first = TokenSigner::Es256();
  const TokenSigner second = TokenSigner::Es256();
  std::atomic<int> fetches{0};
  std::atomic<bool> rotated{false};
  KeyKeeper::Options options =
      Quick({{.issuer = "id", .algorithm = Algorithm::kEs256, .keys = "https://id.example/jwks"}});
  options.fetch_pause = absl::Milliseconds(200);
  auto keeper = KeyKeeper::Start(
      options,
      [&](const std::string& url, FetchStop&) -> absl::StatusOr<std::string> {
        EXPECT_EQ(url, "https://id.example/jwks");
        ++fetches;
        return fmt::format(R"({{"keys":[{}]}})", (rotated ? second : first).Jwk("k"));
      },
      clock_);
  ASSERT_TRUE(keeper.ok());
  EXPECT_TRUE(Eventually([&] { return Verifies(**keeper, "id", first, Algorithm::kEs256); }));
  rotated = true;
  const absl::Duration begin = clock_.Now().uptime;
  EXPECT_TRUE(Eventually([&] {
    for (int i = 0; i < 100; ++i) (*keeper)->Missed("id", "new");
    (*keeper)->Missed("other", "new");
    return Verifies(**keeper, "id", second, Algorithm::kEs256);
  }));
  const auto most = 2 + (clock_.Now().uptime - begin) / options.fetch_pause;
  EXPECT_LE(fetches, most);
}

TEST_F(KeyKeeperTest, FetchesByHttpWithinBounds) {
  httplib::Server server;
  server.Get("/jwks", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("{}", "application/json");
  });
  server.Get("/large", [](const httplib::Request&, httplib::Response& response) {
    response.set_content(std::string(300 << 10, 'x'), "text/plain");
  });
  server.Get("/moved", [](const httplib::Request&, httplib::Response& response) {
    response.set_redirect("/jwks");
  });
  const int port = server.bind_to_any_port("127.0.0.1");
  std::thread thread([&] { server.listen_after_bind(); });
  FetchStop stop;
  const std::string base = fmt::format("http://127.0.0.1:{}", port);
  EXPECT_TRUE(Eventually([&] { return server.is_running(); }));
  EXPECT_EQ(FetchByHttp(base + "/jwks", stop).value(), "{}");
  EXPECT_FALSE(FetchByHttp(base + "/large", stop).ok());
  EXPECT_FALSE(FetchByHttp(base + "/moved", stop).ok());
  EXPECT_FALSE(FetchByHttp(base + "/none", stop).ok());
  server.stop();
  thread.join();
  EXPECT_FALSE(FetchByHttp(base + "/jwks", stop).ok());
}

// The kernel takes the connection; nobody ever answers.
TEST_F(KeyKeeperTest, AServerThatNeverAnswersDoesNotHoldUpTheEnd) {
  // As in the program: what is written to a socket that was shut is an error and no signal.
  std::signal(SIGPIPE, SIG_IGN);
  const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof(address);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener.get(), raw, size), 0);
  ASSERT_EQ(listen(listener.get(), 8), 0);
  ASSERT_EQ(getsockname(listener.get(), raw, &size), 0);
  for (const std::string scheme : {"http", "https"}) {
    const std::string url = fmt::format("{}://127.0.0.1:{}/jwks", scheme, ntohs(address.sin_port));
    auto keeper =
        KeyKeeper::Start(Quick({{.issuer = "id", .algorithm = Algorithm::kEs256, .keys = url}}),
                         FetchByHttp, clock_);
    ASSERT_TRUE(keeper.ok());
    const UniqueFd taken(accept(listener.get(), nullptr, nullptr));
    const absl::Duration begin = clock_.Now().uptime;
    keeper->reset();
    // The fetch's own time is three seconds.
    EXPECT_LT(clock_.Now().uptime - begin, absl::Seconds(2)) << scheme;
  }
}

// Each octet of a header comes in time; the end of them never does.
TEST_F(KeyKeeperTest, AServerThatDripsIsGivenUp) {
  std::signal(SIGPIPE, SIG_IGN);
  const UniqueFd listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof(address);
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  ASSERT_EQ(bind(listener.get(), raw, size), 0);
  ASSERT_EQ(listen(listener.get(), 8), 0);
  ASSERT_EQ(getsockname(listener.get(), raw, &size), 0);
  FetchStop stop;
  std::atomic<bool> given_up = false;
  std::thread fetch([&] {
    const std::string url = fmt::format("http://127.0.0.1:{}/jwks", ntohs(address.sin_port));
    EXPECT_FALSE(FetchByHttp(url, stop).ok());
    given_up = true;
  });
  const UniqueFd taken(accept(listener.get(), nullptr, nullptr));
  const std::string line = "HTTP/1.1 200 OK\r\nX: ";
  EXPECT_EQ(send(taken.get(), line.data(), line.size(), 0), static_cast<ssize_t>(line.size()));
  int turn = 0;
  EXPECT_TRUE(Eventually([&] {
    if (++turn % 100 == 0) (void)send(taken.get(), "x", 1, MSG_NOSIGNAL);
    return given_up.load();
  }));
  stop.Stop();
  fetch.join();
}

TEST_F(KeyKeeperTest, NoFetchBeginsBehindTheStop) {
  FetchStop stop;
  stop.Stop();
  httplib::Server server;
  const int port = server.bind_to_any_port("127.0.0.1");
  EXPECT_EQ(FetchByHttp(fmt::format("http://127.0.0.1:{}/", port), stop).status().message(),
            "Connection");
}

}  // namespace
}  // namespace wsrouter
