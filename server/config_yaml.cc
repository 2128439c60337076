#include "config_yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <string_view>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/escaping.h"
#include "config_format.h"
#include "config_value.h"

namespace wsrouter {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Follows config.proto, not the file, so what a file can cost is bounded by the schema's depth.
class YamlReader {
 public:
  YamlReader(const ConfigSources::File& file, const SetConfigKey& set) : file_(file), set_(set) {}

  absl::Status ReadSection(const YAML::Node& node, const Descriptor& section,
                           const std::string& path) {
    if (node.IsNull()) return absl::OkStatus();  // a section whose keys are all commented out
    if (!node.IsMap()) {
      return Refuse(path.empty() ? "the file" : path, node, "wanted a section with keys in it");
    }
    absl::flat_hash_set<std::string> seen;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return Refuse(path, entry.first, "wanted a text as key");
      const std::string& name = entry.first.Scalar();
      const std::string key = path.empty() ? name : fmt::format("{}.{}", path, name);
      if (!seen.insert(name).second) return Refuse(key, entry.first, "comes twice");
      const FieldDescriptor* field = section.FindFieldByName(name);
      if (field == nullptr) return Refuse(key, entry.first, "unknown key");
      const absl::Status status = IsConfigSection(*field)
                                      ? ReadSection(entry.second, *field->message_type(), key)
                                      : ReadKey(*FindConfigKey(key), entry.first, entry.second);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status ReadKey(const ConfigKeyField& key, const YAML::Node& name, const YAML::Node& node) {
    std::vector<std::string> texts;
    if (key.field->is_repeated()) {
      if (!node.IsSequence()) return Refuse(key.path, name, "wanted a list");
      for (const YAML::Node& element : node) {
        if (!element.IsScalar()) return Refuse(key.path, element, "wanted a list of single values");
        texts.push_back(element.Scalar());
      }
    } else {
      if (node.IsNull()) return Refuse(key.path, name, "wanted a value, got nothing");
      if (!node.IsScalar()) return Refuse(key.path, name, "wanted a single value");
      texts.push_back(node.Scalar());
    }
    return set_(key, texts, SourceOf(name));
  }

  std::string SourceOf(const YAML::Node& node) const {
    return fmt::format("{}:{}", file_.name, node.Mark().line + 1);
  }

  absl::Status Refuse(const std::string& key, const YAML::Node& at, std::string_view what) const {
    return absl::InvalidArgumentError(
        fmt::format("{} ({}): {}", absl::Utf8SafeCEscape(key), SourceOf(at), what));
  }

  const ConfigSources::File& file_;
  const SetConfigKey& set_;
};

// In a URL only the password is a secret.
std::string Blanked(const std::string& text) {
  const size_t scheme = text.find("://");
  if (text.empty() || scheme == std::string::npos) return text.empty() ? "" : "***";
  const size_t user = scheme + 3;
  const size_t at = text.substr(0, text.find('/', user)).rfind('@');
  const size_t colon = text.find(':', user);
  if (at == std::string::npos || colon > at) return text;
  return fmt::format("{}***{}", text.substr(0, colon + 1), text.substr(at));
}

void EmitKey(const ConfigKeyField& key, const v1::Config& config, YAML::Emitter& out) {
  std::vector<std::string> texts = ConfigValueOf(key, config);
  const bool quoted = key.field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  if (key.field->is_repeated()) out << YAML::Flow << YAML::BeginSeq;
  for (std::string& text : texts) {
    if (key.rules->secret()) text = Blanked(text);
    if (quoted) out << YAML::DoubleQuoted;
    out << text;
  }
  if (key.field->is_repeated()) out << YAML::EndSeq;
}

void EmitSection(const Descriptor& section, const std::string& prefix, const v1::Config& config,
                 YAML::Emitter& out) {
  out << YAML::BeginMap;
  for (int i = 0; i < section.field_count(); ++i) {
    const FieldDescriptor& field = *section.field(i);
    out << YAML::Key << field.name() << YAML::Value;
    if (IsConfigSection(field)) {
      EmitSection(*field.message_type(), prefix + field.name() + '.', config, out);
    } else {
      EmitKey(*FindConfigKey(prefix + field.name()), config, out);
    }
  }
  out << YAML::EndMap;
}

}  // namespace

absl::Status ReadConfigYaml(const ConfigSources::File& file, const SetConfigKey& set) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(file.yaml);
    if (documents.empty()) return absl::OkStatus();
    if (documents.size() > 1) {
      return absl::InvalidArgumentError(
          fmt::format("{}: wanted one YAML document, got {}", file.name, documents.size()));
    }
    return YamlReader(file, set).ReadSection(documents[0], *v1::Config::descriptor(), "");
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(
        fmt::format("{}:{}: not YAML: {}", file.name, error.mark.line + 1, error.msg));
  }
}

std::string EffectiveConfig(const v1::Config& config) {
  YAML::Emitter out;
  EmitSection(*v1::Config::descriptor(), "", config, out);
  return fmt::format("{}\n", out.c_str());
}

}  // namespace wsrouter
