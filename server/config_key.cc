#include "config_key.h"

#include <fmt/format.h>

#include <algorithm>

#include "absl/strings/ascii.h"

namespace wsrouter {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string VariableOf(std::string_view path) {
  std::string variable = fmt::format("WSROUTER_{}", path);
  absl::AsciiStrToUpper(&variable);
  std::replace(variable.begin(), variable.end(), '.', '_');
  return variable;
}

void AddKeys(const Descriptor& section, std::string_view prefix,
             std::vector<const FieldDescriptor*>& sections, std::vector<ConfigKeyField>& keys) {
  for (int i = 0; i < section.field_count(); ++i) {
    const FieldDescriptor* field = section.field(i);
    const std::string path = fmt::format("{}{}", prefix, field->name());
    if (IsConfigSection(*field)) {
      sections.push_back(field);
      AddKeys(*field->message_type(), path + '.', sections, keys);
      sections.pop_back();
    } else {
      keys.push_back({.path = path,
                      .variable = VariableOf(path),
                      .sections = sections,
                      .field = field,
                      .rules = &field->options().GetExtension(v1::key)});
    }
  }
}

}  // namespace

const std::vector<ConfigKeyField>& ConfigKeys() {
  static const auto* keys = [] {
    auto* made = new std::vector<ConfigKeyField>();
    std::vector<const FieldDescriptor*> sections;
    AddKeys(*v1::Config::descriptor(), "", sections, *made);
    return made;
  }();
  return *keys;
}

const ConfigKeyField* FindConfigKey(std::string_view path) {
  for (const ConfigKeyField& key : ConfigKeys()) {
    if (key.path == path) return &key;
  }
  return nullptr;
}

const ConfigKeyField* FindConfigVariable(std::string_view variable) {
  for (const ConfigKeyField& key : ConfigKeys()) {
    if (key.variable == variable) return &key;
  }
  return nullptr;
}

bool IsConfigSection(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE &&
         field.message_type()->full_name() != "google.protobuf.Duration";
}

Message& MutableSectionOf(const ConfigKeyField& key, v1::Config& config) {
  Message* section = &config;
  for (const FieldDescriptor* field : key.sections) {
    section = section->GetReflection()->MutableMessage(section, field);
  }
  return *section;
}

const Message& SectionOf(const ConfigKeyField& key, const v1::Config& config) {
  const Message* section = &config;
  for (const FieldDescriptor* field : key.sections) {
    section = &section->GetReflection()->GetMessage(*section, field);
  }
  return *section;
}

}  // namespace wsrouter
