#ifndef WSROUTER_CONFIG_H_
#define WSROUTER_CONFIG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "wsrouter/v1/config.pb.h"

namespace wsrouter {

// Where a configuration comes from, all of it as data. Each source overrides the ones before it.
struct ConfigSources {
  struct File {
    std::string name;  // for messages
    std::string yaml;
  };
  std::optional<File> file;
  std::vector<std::string> environment;  // "NAME=value", like environ; only WSROUTER_* counts
  std::vector<std::string> settings;     // "section.key=value", like --set
  std::string default_server_id;         // node.server_id where nobody sets it
};

// The file's text. What fails is said with the name.
absl::StatusOr<ConfigSources::File> ReadConfigFile(const std::string& name);

// "hostname:pid", mended and cut to what a server_id may be.
std::string DefaultServerId(std::string_view hostname, int64_t pid);

// Every key has a value afterwards: the default where no source sets it. The message of a refusal
// is one line that names the key and the source: file:line, the variable, or --set.
absl::StatusOr<v1::Config> LoadConfig(const ConfigSources& sources);

// Every key with its value as YAML that LoadConfig takes; secrets are blanked.
std::string EffectiveConfig(const v1::Config& config);

}  // namespace wsrouter

#endif  // WSROUTER_CONFIG_H_
