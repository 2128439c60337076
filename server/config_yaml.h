#ifndef WSROUTER_CONFIG_YAML_H_
#define WSROUTER_CONFIG_YAML_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "config.h"
#include "config_key.h"

namespace wsrouter {

// Calls `set` for each key of the file, with its texts and its source, "file:line". Unknown keys,
// keys that come twice, and a list where a single value belongs or the reverse are refused.
using SetConfigKey = std::function<absl::Status(
    const ConfigKeyField& key, const std::vector<std::string>& texts, const std::string& source)>;
absl::Status ReadConfigYaml(const ConfigSources::File& file, const SetConfigKey& set);

}  // namespace wsrouter

#endif  // WSROUTER_CONFIG_YAML_H_
