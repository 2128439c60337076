#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "admin/admin_server.h"
#include "base/clock.h"
#include "base/unique_fd.h"
#include "httplib.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

using ::testing::HasSubstr;

class AdminHttpTest : public ::testing::Test {
 protected:
  AdminHttpTest()
      : stats_({.server_id = "gw-1", .incarnation = 1}, "0.1.0", absl::UnixEpoch()),
        admin_(Start(0)) {}

  absl::StatusOr<std::unique_ptr<AdminServer>> Start(uint16_t port) {
    const auto probe = [](const std::atomic<bool>& good, const char* reason) {
      return [&good, reason] { return good ? absl::OkStatus() : absl::UnavailableError(reason); };
    };
    return AdminServer::Start({.port = port}, stats_,
                              {.live = probe(live_, "stuck"), .ready = probe(ready_, "draining")},
                              clock_);
  }

  uint16_t port() const {
    const std::string& address = (*admin_)->address();
    return static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  httplib::Client Http() const { return httplib::Client("127.0.0.1", port()); }

  // What comes back for `request` until the server closes.
  std::string Raw(const std::string& request) const {
    const UniqueFd fd(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port());
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    EXPECT_EQ(send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(request.size()));
    std::string answer;
    char buffer[4096];
    for (ssize_t n; (n = recv(fd.get(), buffer, sizeof(buffer), 0)) > 0;) {
      answer.append(buffer, static_cast<size_t>(n));
    }
    return answer;
  }

  std::atomic<bool> live_{true};
  std::atomic<bool> ready_{true};
  Stats stats_;
  const SystemClock clock_;
  absl::StatusOr<std::unique_ptr<AdminServer>> admin_;
};

TEST_F(AdminHttpTest, PortZeroIsReplacedByTheRealOne) {
  ASSERT_TRUE(admin_.ok()) << admin_.status();
  EXPECT_NE(port(), 0);
}

TEST_F(AdminHttpTest, LivenessIsWhatTheProbeSays) {
  EXPECT_EQ(Http().Get("/healthz")->status, 200);
  EXPECT_EQ(Http().Get("/healthz")->body, "ok\n");
  live_ = false;
  EXPECT_EQ(Http().Get("/healthz")->status, 503);
  EXPECT_EQ(Http().Get("/healthz")->body, "stuck\n");
  EXPECT_EQ(Http().Get("/readyz")->status, 200);
}

TEST_F(AdminHttpTest, ReadinessIsWhatTheProbeSays) {
  EXPECT_EQ(Http().Get("/readyz")->status, 200);
  ready_ = false;
  EXPECT_EQ(Http().Get("/readyz")->status, 503);
  EXPECT_EQ(Http().Get("/readyz")->body, "draining\n");
  EXPECT_EQ(Http().Get("/healthz")->status, 200);
}

TEST_F(AdminHttpTest, CountersComeAsJson) {
  const httplib::Result result = Http().Get("/healthz/ws");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(nlohmann::json::parse(result->body)["server_id"], "gw-1");
}

TEST_F(AdminHttpTest, MetricsComeInPrometheusTextFormat) {
  const httplib::Result result = Http().Get("/metrics");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->get_header_value("Content-Type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(result->body, HasSubstr("\nwsrouter_owns_total 0"));
}

TEST_F(AdminHttpTest, HeadHasTheHeadersAndNoBody) {
  const httplib::Result result = Http().Head("/healthz");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 200);
  EXPECT_EQ(result->get_header_value("Content-Length"), "3");
  EXPECT_EQ(result->body, "");
}

TEST_F(AdminHttpTest, OtherMethodsAre405AndSayWhichAreAllowed) {
  for (const httplib::Result& result :
       {Http().Post("/metrics", "body", "text/plain"), Http().Put("/healthz", "", "text/plain"),
        Http().Delete("/readyz"), Http().Options("/healthz/ws")}) {
    ASSERT_TRUE(result);
    EXPECT_EQ(result->status, 405);
    EXPECT_EQ(result->get_header_value("Allow"), "GET, HEAD");
  }
}

TEST_F(AdminHttpTest, UnknownPathsAre404) {
  for (const char* path : {"/", "/healthz/", "/healthz/wsx", "/ws", "/metrics/../metrics"}) {
    EXPECT_EQ(Http().Get(path)->status, 404) << path;
  }
}

TEST_F(AdminHttpTest, TheQueryIsNoPartOfThePath) {
  EXPECT_EQ(Http().Get("/metrics?name=x")->status, 200);
}

TEST_F(AdminHttpTest, AConnectionGetsOneAnswer) {
  const std::string get = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string answers = Raw(get + get + get);
  EXPECT_THAT(answers, HasSubstr("Connection: close"));
  EXPECT_EQ(answers.find("HTTP/1.1", 1), std::string::npos) << answers;
}

TEST_F(AdminHttpTest, NonsenseEndsItsOwnConnectionOnly) {
  const std::vector<std::string> requests = {
      "\r\n\r\n",
      "GET\r\n\r\n",
      "GET /" + std::string(10'000, 'a') + " HTTP/1.1\r\n\r\n",
      "GET /metrics HTTP/1.1\r\nRange: bytes=99999999999999999999-\r\n\r\n",
      "GET /metrics HTTP/1.1\r\nRange: bytes=1000000-2000000\r\n\r\n",
      "GET /metrics HTTP/1.1\r\nRange: bytes=5-1\r\n\r\n",
      "POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
      "POST /metrics HTTP/1.1\r\nContent-Length: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
      "GET /healthz HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
      std::string("\0\xFF\0", 3) + "\r\n\r\n",
  };
  for (const std::string& request : requests) {
    Raw(request);
    const httplib::Result result = Http().Get("/healthz");
    ASSERT_TRUE(result) << request;
    EXPECT_EQ(result->status, 200) << request;
  }
}

TEST_F(AdminHttpTest, WhoSaysNothingDoesNotKeepOthersOut) {
  std::vector<UniqueFd> silent;
  for (int i = 0; i < 20; ++i) {
    silent.emplace_back(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port());
    (void)connect(silent.back().get(), reinterpret_cast<sockaddr*>(&to), sizeof(to));
  }
  silent.resize(2);  // two threads, two connections that say nothing
  httplib::Client client = Http();
  client.set_read_timeout(10);
  const httplib::Result result = client.Get("/healthz");
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 200);
}

TEST_F(AdminHttpTest, APortThatIsTakenIsNamed) {
  const absl::Status status = Start(port()).status();
  EXPECT_EQ(std::string(status.message()),
            "admin.listen " + (*admin_)->address() +
                " cannot be bound: the port is taken by another program");
}

TEST_F(AdminHttpTest, AnAddressThatIsNotOurOwnIsRefused) {
  const absl::Status status =
      AdminServer::Start({.host = "192.0.2.1", .port = 0}, stats_, {}, clock_).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("admin.listen 192.0.2.1:0"));
}

TEST_F(AdminHttpTest, StopMayBeRepeatedAndFreesThePort) {
  const uint16_t taken = port();
  (*admin_)->Stop();
  (*admin_)->Stop();
  EXPECT_TRUE(Start(taken).ok());
}

}  // namespace
}  // namespace wsrouter
