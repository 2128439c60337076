#include "control/trace_context.h"

#include <iterator>

namespace wsrouter {
namespace {

// version "-" trace-id "-" parent-id "-" flags, of 2, 32, 16 and 2 digits.
constexpr size_t kTraceAt = 3;
constexpr size_t kTraceDigits = 32;
constexpr size_t kSpanAt = kTraceAt + kTraceDigits + 1;
constexpr size_t kSpanDigits = 16;
constexpr size_t kFlagsAt = kSpanAt + kSpanDigits + 1;
constexpr size_t kSize = kFlagsAt + 2;

bool AreDigits(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}
bool IsId(std::string_view text) {
  return AreDigits(text) && text.find_first_not_of('0') != std::string_view::npos;
}

}  // namespace

TraceContext ParseTraceparent(std::string_view text) {
  if (text.size() < kSize) return {};
  const std::string_view version = text.substr(0, 2);
  const std::string_view trace = text.substr(kTraceAt, kTraceDigits);
  const std::string_view span = text.substr(kSpanAt, kSpanDigits);
  for (const size_t at : {kTraceAt, kSpanAt, kFlagsAt}) {
    if (text[at - 1] != '-') return {};
  }
  if (!AreDigits(version) || version == "ff" || !AreDigits(text.substr(kFlagsAt, 2))) {
    return {};
  }
  // Later versions may have more behind, version 00 has nothing.
  if (text.size() > kSize && (version == "00" || text[kSize] != '-')) return {};
  if (!IsId(trace) || !IsId(span)) return {};
  return {.trace_id = std::string(trace), .span_id = std::string(span)};
}

TraceContext TraceOf(const grpc::ServerContextBase& context) {
  const auto [begin, end] = context.client_metadata().equal_range("traceparent");
  if (begin == end || std::next(begin) != end) return {};
  return ParseTraceparent({begin->second.data(), begin->second.size()});
}

}  // namespace wsrouter
