#ifndef WSROUTER_CONFIG_RELOAD_H_
#define WSROUTER_CONFIG_RELOAD_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "wsrouter/v1/config.pb.h"

namespace wsrouter {

// What a configuration that was read anew means for a node that runs.
struct ConfigReload {
  v1::Config config;                       // what applies from now on
  std::vector<std::string> changed;        // the keys that have a new value there
  std::vector<std::string> needs_restart;  // those whose new value it does not have
};

// `running` is in force, `read` has been accepted by LoadConfig. Keys are in the order of
// config.proto. Refused where what can change and what cannot are not in order together.
absl::StatusOr<ConfigReload> ReloadConfig(const v1::Config& running, const v1::Config& read);

}  // namespace wsrouter

#endif  // WSROUTER_CONFIG_RELOAD_H_
