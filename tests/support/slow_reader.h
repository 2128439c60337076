#ifndef WSROUTER_TESTS_SUPPORT_SLOW_READER_H_
#define WSROUTER_TESTS_SUPPORT_SLOW_READER_H_

#include <string>

#include "absl/strings/numbers.h"
#include "gtest/gtest.h"
#include "tests/support/test_gateway.h"

namespace wsrouter {

inline constexpr size_t kSlowFrameBytes = 50'000;

// Outboxes that hold four frames.
inline TestGateway::Settings SmallOutboxes(SlowConsumerPolicy policy) {
  TestGateway::Settings settings;
  settings.limits.slow_consumer_bytes = 4 * (kSlowFrameBytes + kFrameOverheadBytes);
  settings.limits.slow_consumer_policy = policy;
  return settings;
}

// A payload that says which it is.
inline std::string Numbered(int number) {
  return std::to_string(number) + ' ' + std::string(kSlowFrameBytes, 'x');
}

// Of a frame as RawClient reads it.
inline int NumberOf(const std::string& frame) {
  int number = -1;
  EXPECT_TRUE(frame.starts_with("text ")) << frame.substr(0, 80);
  EXPECT_TRUE(absl::SimpleAtoi(frame.substr(5, frame.find(' ', 5) - 5), &number));
  return number;
}

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_SLOW_READER_H_
