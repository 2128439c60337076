// What is measured and logged of calls, through a real gRPC server.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/authority.h"
#include "tests/support/control_node.h"
#include "tests/support/eventually.h"
#include "tests/support/raw_call.h"

namespace wsrouter {
namespace {

using Router = v1::Router::Stub;
using Admin = v1::Admin::Stub;

constexpr char kTrace[] = "4bf92f3577b34da6a3ce929d0e0e4736";
constexpr char kSpan[] = "00f067aa0ba902b7";
const std::string kTraceparent = std::string("00-") + kTrace + "-" + kSpan + "-01";

class ControlObserverTest : public testing::Test {
 protected:
  ~ControlObserverTest() override { SetLogLevel(LogLevel::kInfo); }

  uint64_t Count(std::string_view method, CallOutcome outcome) const {
    const auto methods = node_.measures.calls.methods();
    const auto found = std::ranges::find(methods, method);
    EXPECT_NE(found, methods.end()) << method;
    const auto index = static_cast<size_t>(found - methods.begin());
    return node_.measures.calls.Read(index, static_cast<size_t>(outcome)).count();
  }
  // A call of Admin.Stats with these traceparents, and the lines that the log has of it.
  std::vector<nlohmann::json> Lines(const std::vector<std::string>& traceparents) {
    testing::internal::CaptureStderr();
    {
      grpc::ClientContext context;
      for (const std::string& value : traceparents) context.AddMetadata("traceparent", value);
      v1::StatsResponse response;
      EXPECT_TRUE(node_.admin->Stats(&context, {}, &response).ok());
    }
    // The answer may be there before the line.
    std::string text;
    EXPECT_TRUE(Eventually([&] {
      text += testing::internal::GetCapturedStderr();
      testing::internal::CaptureStderr();
      return !LogsAt(LogLevel::kDebug) || text.find("\"call\"") != std::string::npos;
    }));
    text += testing::internal::GetCapturedStderr();
    std::vector<nlohmann::json> lines;
    for (size_t begin = 0, end = 0; (end = text.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      lines.push_back(nlohmann::json::parse(text.substr(begin, end - begin)));
    }
    return lines;
  }

  ControlNode node_;
};

TEST_F(ControlObserverTest, CallsAreMeasuredByMethodAndOutcome) {
  node_.Online("alice");
  EXPECT_TRUE(node_.Call(&Router::Push, R"({"room":"a","payload":{"text":"x"}})").ok());
  EXPECT_FALSE(node_.Call(&Router::Push, R"({"payload":{"text":"x"}})").ok());
  EXPECT_TRUE(Eventually([&] { return node_.measures.calls_in_flight == 0; }));
  EXPECT_EQ(Count("wsrouter.v1.Router/Own", CallOutcome::kOk), 1u);
  EXPECT_EQ(Count("wsrouter.v1.Router/Push", CallOutcome::kOk), 1u);
  EXPECT_EQ(Count("wsrouter.v1.Router/Push", CallOutcome::kRefused), 1u);
  EXPECT_EQ(Count("wsrouter.v1.Router/Push", CallOutcome::kFailed), 0u);
}

TEST_F(ControlObserverTest, NobodyFromOutsideMakesANewName) {
  const size_t methods = node_.measures.calls.methods().size();
  RawCall(*node_.channel, "/wsrouter.v1.Router/Invented", "");
  RawCall(*node_.channel, "/grpc.health.v1.Health/Check", "");
  EXPECT_EQ(Count("grpc.health.v1.Health/Check", CallOutcome::kOk), 1u);
  EXPECT_EQ(node_.measures.calls.methods().size(), methods);
}

TEST_F(ControlObserverTest, OpenStreamsAreCountedByKind) {
  {
    grpc::ClientContext watch;
    grpc::ClientContext subscribe;
    v1::SubscribeRequest channels;
    channels.add_channels("news");
    const auto watcher = node_.events->Watch(&watch, {});
    const auto subscriber = node_.events->Subscribe(&subscribe, channels);
    EXPECT_TRUE(Eventually(
        [&] { return node_.measures.watchers == 1 && node_.measures.subscribers == 1; }));
    watch.TryCancel();
    EXPECT_TRUE(Eventually([&] { return node_.measures.watchers == 0; }));
    EXPECT_EQ(node_.measures.subscribers, 1u);
    subscribe.TryCancel();
  }
  EXPECT_TRUE(Eventually([&] { return node_.measures.subscribers == 0; }));
  EXPECT_EQ(node_.measures.calls_in_flight, 0u);
}

TEST_F(ControlObserverTest, AtDebugEachCallIsOneLineWithItsTrace) {
  SetLogLevel(LogLevel::kDebug);
  const auto lines = Lines({kTraceparent});
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["event"], "call");
  EXPECT_EQ(lines[0]["method"], "/wsrouter.v1.Admin/Stats");
  EXPECT_EQ(lines[0]["caller"], "ipv4:127.0.0.1");
  EXPECT_EQ(lines[0]["code"], "OK");
  EXPECT_GE(lines[0]["duration_us"], 0);
  EXPECT_EQ(lines[0]["trace_id"], kTrace);
  EXPECT_EQ(lines[0]["span_id"], kSpan);
}

TEST_F(ControlObserverTest, ATraceparentThatIsNotInOrderIsIgnored) {
  SetLogLevel(LogLevel::kDebug);
  using Values = std::vector<std::string>;
  for (const Values& values : {Values{}, Values{"nonsense"}, Values{kTraceparent, kTraceparent}}) {
    const auto lines = Lines(values);
    ASSERT_EQ(lines.size(), 1u);
    EXPECT_EQ(lines[0]["trace_id"], "");
    EXPECT_EQ(lines[0]["span_id"], "");
  }
}

TEST_F(ControlObserverTest, AboveDebugThereIsNoLine) {
  EXPECT_EQ(Lines({kTraceparent}).size(), 0u);
}

TEST(ControlObserverDeniedTest, ALineAboutADeniedCallHasItsTrace) {
  const Authority authority;
  const std::string tokens =
      authority.Write("tokens", "a read reader-0123456789abcdef0123456789\n");
  ControlNode node({}, {.tokens_file = tokens});
  std::string log;
  // Lines are rationed, also by those of other tests.
  EXPECT_TRUE(Eventually([&] {
    testing::internal::CaptureStderr();
    grpc::ClientContext context;
    context.AddMetadata("traceparent", kTraceparent);
    v1::StatsResponse response;
    EXPECT_FALSE(node.admin->Stats(&context, {}, &response).ok());
    log = testing::internal::GetCapturedStderr();
    return log.find("call_denied") != std::string::npos;
  }));
  EXPECT_NE(log.find(kTrace), std::string::npos) << log;
  EXPECT_NE(log.find(kSpan), std::string::npos) << log;
}

}  // namespace
}  // namespace wsrouter
