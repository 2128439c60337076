#ifndef WSROUTER_CONFIG_KEY_H_
#define WSROUTER_CONFIG_KEY_H_

#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"
#include "wsrouter/v1/config.pb.h"
#include "wsrouter/v1/config_options.pb.h"

namespace wsrouter {

// A key of the configuration: a field of config.proto that is no section.
struct ConfigKeyField {
  std::string path;      // "gateway.tls.cert_file"
  std::string variable;  // "WSROUTER_GATEWAY_TLS_CERT_FILE"
  std::vector<const google::protobuf::FieldDescriptor*> sections;  // from Config down to the key's
  const google::protobuf::FieldDescriptor* field = nullptr;
  const v1::ConfigKey* rules = nullptr;
};

// All of them, in the order of config.proto. Lives as long as the process.
const std::vector<ConfigKeyField>& ConfigKeys();

// Null where there is none.
const ConfigKeyField* FindConfigKey(std::string_view path);
const ConfigKeyField* FindConfigVariable(std::string_view variable);

// A message that groups keys, as opposed to a duration, which is a value.
bool IsConfigSection(const google::protobuf::FieldDescriptor& field);

google::protobuf::Message& MutableSectionOf(const ConfigKeyField& key, v1::Config& config);
const google::protobuf::Message& SectionOf(const ConfigKeyField& key, const v1::Config& config);

}  // namespace wsrouter

#endif  // WSROUTER_CONFIG_KEY_H_
