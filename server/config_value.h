#ifndef WSROUTER_CONFIG_VALUE_H_
#define WSROUTER_CONFIG_VALUE_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "config_key.h"

namespace wsrouter {

// The values of keys as text, as a person writes them; see ConfigKey in config_options.proto.

// Sets the key: one text for a single value, one an element for a list. Refused when it has not
// the key's type, range or format; the message says what was wanted.
absl::Status SetConfigValue(const ConfigKeyField& key, const std::vector<std::string>& texts,
                            v1::Config& config);

// What SetConfigValue would take to set the value that the key has.
std::vector<std::string> ConfigValueOf(const ConfigKeyField& key, const v1::Config& config);

// The elements of a list that is written in one text: separated by commas, none when it is empty.
std::vector<std::string> SplitConfigList(std::string_view text);

absl::Duration ToDuration(const google::protobuf::Duration& duration);

}  // namespace wsrouter

#endif  // WSROUTER_CONFIG_VALUE_H_
