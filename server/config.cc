#include "config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/strings.h"
#include "config_key.h"
#include "config_rules.h"
#include "config_value.h"
#include "config_yaml.h"

namespace wsrouter {
namespace {

constexpr size_t kFileBytesMax = 1 << 20;

absl::Status Set(const ConfigKeyField& key, const std::vector<std::string>& texts,
                 const std::string& source, v1::Config& config) {
  const absl::Status status = SetConfigValue(key, texts, config);
  if (status.ok()) return status;
  return absl::InvalidArgumentError(
      fmt::format("{} ({}): {}", key.path, source, StdView(status.message())));
}

std::vector<std::string> TextsOf(const ConfigKeyField& key, std::string_view text) {
  if (key.field->is_repeated()) return SplitConfigList(text);
  return {std::string(text)};
}

absl::Status SetDefaults(v1::Config& config) {
  for (const ConfigKeyField& key : ConfigKeys()) {
    MutableSectionOf(key, config);  // no section is missing, whoever sets its keys
    const std::string& value = key.rules->default_value();
    if (value.empty()) continue;
    if (absl::Status status = Set(key, TextsOf(key, value), "default", config); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

// Kubernetes tells every pod about the services of its namespace; a service named wsrouter or
// wsrouter-grpc brings WSROUTER_SERVICE_HOST, WSROUTER_GRPC_PORT_9090_TCP_ADDR and the like. They
// are nobody's configuration.
bool IsServiceLink(std::string_view variable, std::string_view value) {
  const auto has = [&](std::string_view part) { return variable.find(part) != variable.npos; };
  if (has("_SERVICE_HOST") || has("_SERVICE_PORT")) return true;
  if (!has("_PORT")) return false;
  return has("_TCP") || has("_UDP") || has("_SCTP") || value.find("://") != value.npos;
}

absl::Status SetFromEnvironment(const std::vector<std::string>& environment, v1::Config& config) {
  for (const std::string& entry : environment) {
    if (!entry.starts_with("WSROUTER_")) continue;
    const size_t equals = std::min(entry.find('='), entry.size());
    const std::string variable = entry.substr(0, equals);
    const std::string_view value =
        std::string_view(entry).substr(std::min(equals + 1, entry.size()));
    const ConfigKeyField* key = FindConfigVariable(variable);
    if (key == nullptr) {
      if (IsServiceLink(variable, value)) continue;
      return absl::InvalidArgumentError(
          fmt::format("{} (environment): unknown key", absl::Utf8SafeCEscape(variable)));
    }
    if (absl::Status status = Set(*key, TextsOf(*key, value), variable, config); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::Status SetFromSettings(const std::vector<std::string>& settings, v1::Config& config) {
  for (const std::string& setting : settings) {
    const size_t equals = setting.find('=');
    const std::string name = setting.substr(0, equals);
    const ConfigKeyField* key = FindConfigKey(name);
    if (key == nullptr) {
      return absl::InvalidArgumentError(
          fmt::format("{} (--set): unknown key", absl::Utf8SafeCEscape(name)));
    }
    if (equals == std::string::npos) {
      return absl::InvalidArgumentError(fmt::format("{} (--set): wanted {}=value", name, name));
    }
    // Every user of the machine sees the arguments of a process.
    if (key->rules->secret()) {
      return absl::InvalidArgumentError(fmt::format(
          "{} (--set): a secret, wanted from the file or from {}", name, key->variable));
    }
    const std::string_view value = std::string_view(setting).substr(equals + 1);
    if (absl::Status status = Set(*key, TextsOf(*key, value), "--set", config); !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ConfigSources::File> ReadConfigFile(const std::string& name) {
  std::ifstream stream(name, std::ios::binary);
  // One octet more than allowed shows that there is more.
  std::string yaml(kFileBytesMax + 1, '\0');
  stream.read(yaml.data(), static_cast<std::streamsize>(yaml.size()));
  if (stream.bad() || (stream.fail() && !stream.eof())) {
    return absl::NotFoundError(
        fmt::format("{}: cannot read the configuration file: {}", name, std::strerror(errno)));
  }
  yaml.resize(static_cast<size_t>(stream.gcount()));
  if (yaml.size() > kFileBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("{}: wanted a configuration file of at most 1MiB", name));
  }
  return ConfigSources::File{.name = name, .yaml = std::move(yaml)};
}

std::string DefaultServerId(std::string_view hostname, int64_t pid) {
  constexpr size_t kServerIdBytesMax = 64;
  const std::string suffix = fmt::format(":{}", pid);
  std::string id(hostname.substr(0, kServerIdBytesMax - suffix.size()));
  for (char& c : id) {
    if (!absl::ascii_isalnum(c) && c != '.' && c != '_') c = '-';
  }
  return id + suffix;
}

absl::StatusOr<v1::Config> LoadConfig(const ConfigSources& sources) {
  v1::Config config;
  if (absl::Status status = SetDefaults(config); !status.ok()) return status;
  if (sources.file) {
    const auto set = [&config](const ConfigKeyField& key, const std::vector<std::string>& texts,
                               const std::string& source) {
      return Set(key, texts, source, config);
    };
    if (absl::Status status = ReadConfigYaml(*sources.file, set); !status.ok()) return status;
  }
  if (absl::Status status = SetFromEnvironment(sources.environment, config); !status.ok()) {
    return status;
  }
  if (absl::Status status = SetFromSettings(sources.settings, config); !status.ok()) return status;
  if (absl::Status status = CheckConfigRules(config); !status.ok()) return status;
  if (config.node().server_id().empty()) {
    config.mutable_node()->set_server_id(sources.default_server_id);
  }
  return config;
}

}  // namespace wsrouter
