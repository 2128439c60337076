#include "config_number.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "base/strings.h"

namespace wsrouter {
namespace {

constexpr std::array<std::pair<std::string_view, int>, 3> kByteSuffixes = {
    {{"GiB", 30}, {"MiB", 20}, {"KiB", 10}}};

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

}  // namespace

std::optional<uint64_t> ParseConfigNumber(std::string_view text, bool bytes) {
  int shift = 0;
  for (const auto& [suffix, bits] : kByteSuffixes) {
    if (!bytes || !text.ends_with(suffix)) continue;
    text.remove_suffix(suffix.size());
    shift = bits;
    break;
  }
  uint64_t number = 0;
  if (!IsDigits(text) || !absl::SimpleAtoi(AbslView(text), &number)) return std::nullopt;
  if (number > UINT64_MAX >> shift) return std::nullopt;
  return number << shift;
}

std::string FormatConfigNumber(uint64_t number, bool bytes) {
  for (const auto& [suffix, bits] : kByteSuffixes) {
    const uint64_t unit = uint64_t{1} << bits;
    if (bytes && number > 0 && number % unit == 0)
      return fmt::format("{}{}", number / unit, suffix);
  }
  return fmt::format("{}", number);
}

std::optional<absl::Duration> ParseConfigDuration(std::string_view text) {
  if (text == "0") return absl::ZeroDuration();
  const size_t unit_at = text.find_first_not_of("0123456789.");
  if (unit_at == std::string_view::npos) return std::nullopt;
  const std::string_view unit = text.substr(unit_at);
  if (unit != "ms" && unit != "s" && unit != "m" && unit != "h") return std::nullopt;
  const std::string_view number = text.substr(0, unit_at);
  const size_t point = number.find('.');
  if (!IsDigits(number.substr(0, point))) return std::nullopt;
  if (point != std::string_view::npos && !IsDigits(number.substr(point + 1))) return std::nullopt;
  absl::Duration duration;
  if (!absl::ParseDuration(AbslView(text), &duration)) return std::nullopt;
  return duration;
}

std::string FormatConfigDuration(absl::Duration duration) {
  if (duration == absl::ZeroDuration()) return "0";
  constexpr std::array<std::pair<std::string_view, int64_t>, 4> kUnits = {
      {{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};
  const int64_t nanoseconds = absl::ToInt64Nanoseconds(duration);
  for (const auto& [unit, milliseconds] : kUnits) {
    const int64_t size = milliseconds * 1'000'000;
    if (nanoseconds % size == 0) return fmt::format("{}{}", nanoseconds / size, unit);
  }
  std::string text = fmt::format("{}.{:06}", nanoseconds / 1'000'000, nanoseconds % 1'000'000);
  text.erase(text.find_last_not_of('0') + 1);
  return text + "ms";
}

}  // namespace wsrouter
