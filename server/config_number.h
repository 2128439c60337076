#ifndef WSROUTER_CONFIG_NUMBER_H_
#define WSROUTER_CONFIG_NUMBER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace wsrouter {

// The numbers of a configuration; see ConfigKey in config_options.proto for how they are written.
// Each format function writes what its parse function reads back as the same value.

// With `bytes`, a suffix KiB, MiB or GiB is allowed, and written where it divides the number.
std::optional<uint64_t> ParseConfigNumber(std::string_view text, bool bytes);
std::string FormatConfigNumber(uint64_t number, bool bytes);

// A decimal number and a unit, ms, s, m or h; or 0.
std::optional<absl::Duration> ParseConfigDuration(std::string_view text);
std::string FormatConfigDuration(absl::Duration duration);

}  // namespace wsrouter

#endif  // WSROUTER_CONFIG_NUMBER_H_
