// What counts as a traceparent: W3C Trace Context, section 3.2.
#include "control/trace_context.h"

#include <gtest/gtest.h>

#include <string>

namespace wsrouter {
namespace {

const std::string kTrace = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string kSpan = "00f067aa0ba902b7";

void ExpectTaken(const std::string& text) {
  const TraceContext trace = ParseTraceparent(text);
  EXPECT_EQ(trace.trace_id, kTrace) << text;
  EXPECT_EQ(trace.span_id, kSpan) << text;
}
void ExpectIgnored(const std::string& text) {
  const TraceContext trace = ParseTraceparent(text);
  EXPECT_EQ(trace.trace_id, "") << text;
  EXPECT_EQ(trace.span_id, "") << text;
}

TEST(TraceContextTest, OneInOrderIsTaken) {
  for (const char* flags : {"00", "01", "ff"}) {
    ExpectTaken("00-" + kTrace + "-" + kSpan + "-" + flags);
  }
}

TEST(TraceContextTest, OfLaterVersionsTheKnownPartIsTaken) {
  ExpectTaken("01-" + kTrace + "-" + kSpan + "-01");
  ExpectTaken("fe-" + kTrace + "-" + kSpan + "-01-what-comes-next");
  ExpectIgnored("01-" + kTrace + "-" + kSpan + "-01what");
}

TEST(TraceContextTest, OneThatIsNotInOrderIsIgnored) {
  const std::string good = "00-" + kTrace + "-" + kSpan + "-01";
  for (size_t size = 0; size < good.size(); ++size) ExpectIgnored(good.substr(0, size));
  for (size_t at = 0; at < good.size(); ++at) {
    for (const char bad : {'G', 'A', 'g', ' ', '\0', '_'}) {
      std::string text = good;
      text[at] = bad;
      ExpectIgnored(text);
    }
  }
  ExpectIgnored(good + "-");
  ExpectIgnored(good + "0");
  ExpectIgnored(" " + good);
  ExpectIgnored("ff-" + kTrace + "-" + kSpan + "-01");
}

TEST(TraceContextTest, ZeroesAreNoId) {
  ExpectIgnored("00-" + std::string(32, '0') + "-" + kSpan + "-01");
  ExpectIgnored("00-" + kTrace + "-" + std::string(16, '0') + "-01");
}

}  // namespace
}  // namespace wsrouter
