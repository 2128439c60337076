#include "config_value.h"

#include <fmt/format.h>

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/strings.h"
#include "config_format.h"
#include "config_number.h"

namespace wsrouter {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

constexpr size_t kShownBytesMax = 64;

std::string Shown(const ConfigKeyField& key, std::string_view text) {
  if (key.rules->secret()) return "a secret";
  const std::string escaped = absl::Utf8SafeCEscape(AbslView(text.substr(0, kShownBytesMax)));
  return fmt::format("\"{}\"{}", escaped, text.size() > kShownBytesMax ? "..." : "");
}

// `wanted`, with the key's range, against what came.
absl::Status Refuse(const ConfigKeyField& key, std::string_view wanted, std::string_view got) {
  const std::string& min = key.rules->min();
  const std::string& max = key.rules->max();
  std::string range;
  if (!min.empty() && !max.empty()) range = fmt::format(", {} to {}", min, max);
  if (min.empty() && !max.empty()) range = fmt::format(", at most {}", max);
  return absl::InvalidArgumentError(fmt::format("wanted {}{}, got {}", wanted, range, got));
}

// A bound that is not set bounds nothing.
template <typename Value, typename Parse>
bool InRange(const ConfigKeyField& key, const Value& value, Parse parse) {
  const std::optional<Value> min = parse(key.rules->min());
  const std::optional<Value> max = parse(key.rules->max());
  return (!min || value >= *min) && (!max || value <= *max);
}

bool SizeInRange(const ConfigKeyField& key, size_t size) {
  return InRange(key, static_cast<uint64_t>(size),
                 [](std::string_view bound) { return ParseConfigNumber(bound, false); });
}

// "LOG_LEVEL_" of "LOG_LEVEL_UNSPECIFIED".
size_t PrefixSize(const EnumDescriptor& type) {
  return type.FindValueByNumber(0)->name().size() - std::string_view("UNSPECIFIED").size();
}

std::string NameOf(const EnumValueDescriptor& value) {
  return absl::AsciiStrToLower(value.name().substr(PrefixSize(*value.type())));
}

absl::Status SetEnum(const ConfigKeyField& key, const std::string& text, Message& section) {
  const EnumDescriptor& type = *key.field->enum_type();
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() == 0) continue;
    names.push_back(NameOf(*type.value(i)));
    if (text != names.back()) continue;
    section.GetReflection()->SetEnum(&section, key.field, type.value(i));
    return absl::OkStatus();
  }
  return Refuse(key, fmt::format("one of {}", fmt::join(names, ", ")), Shown(key, text));
}

absl::Status SetNumber(const ConfigKeyField& key, const std::string& text, Message& section) {
  const bool bytes = key.rules->format() == v1::CONFIG_FORMAT_BYTES;
  const auto parse = [bytes](std::string_view number) { return ParseConfigNumber(number, bytes); };
  const std::optional<uint64_t> number = parse(text);
  if (!number || !InRange(key, *number, parse)) {
    return Refuse(key, bytes ? "a number of octets such as 64KiB" : "a whole number",
                  Shown(key, text));
  }
  if (key.field->cpp_type() == FieldDescriptor::CPPTYPE_UINT32) {
    section.GetReflection()->SetUInt32(&section, key.field, static_cast<uint32_t>(*number));
  } else {
    section.GetReflection()->SetUInt64(&section, key.field, *number);
  }
  return absl::OkStatus();
}

absl::Status SetDuration(const ConfigKeyField& key, const std::string& text, Message& section) {
  const std::optional<absl::Duration> duration = ParseConfigDuration(text);
  if (!duration || !InRange(key, *duration, ParseConfigDuration)) {
    return Refuse(key, "a duration such as 250ms, 10s or 1.5h", Shown(key, text));
  }
  google::protobuf::Duration made;
  made.set_seconds(*duration / absl::Seconds(1));
  made.set_nanos(static_cast<int32_t>((*duration % absl::Seconds(1)) / absl::Nanoseconds(1)));
  section.GetReflection()->MutableMessage(&section, key.field)->CopyFrom(made);
  return absl::OkStatus();
}

absl::Status SetBool(const ConfigKeyField& key, const std::string& text, Message& section) {
  if (text != "true" && text != "false") return Refuse(key, "true or false", Shown(key, text));
  section.GetReflection()->SetBool(&section, key.field, text == "true");
  return absl::OkStatus();
}

absl::Status SetText(const ConfigKeyField& key, const std::string& text, Message& section) {
  if (!text.empty() || !key.rules->default_value().empty()) {
    if (!SizeInRange(key, text.size())) {
      return Refuse(key, "a text, in octets", fmt::format("{} octets", text.size()));
    }
    if (!HasFormat(key.rules->format(), text)) {
      return absl::InvalidArgumentError(
          fmt::format("wanted {}, got {}", WantedBy(key.rules->format()), Shown(key, text)));
    }
  }
  section.GetReflection()->SetString(&section, key.field, text);
  return absl::OkStatus();
}

absl::Status SetList(const ConfigKeyField& key, const std::vector<std::string>& texts,
                     Message& section) {
  if (!SizeInRange(key, texts.size())) {
    return Refuse(key, "a list, in elements", fmt::format("{} elements", texts.size()));
  }
  section.GetReflection()->ClearField(&section, key.field);
  for (const std::string& text : texts) {
    if (!HasFormat(key.rules->format(), text)) {
      return absl::InvalidArgumentError(fmt::format(
          "wanted each element to be {}, got {}", WantedBy(key.rules->format()), Shown(key, text)));
    }
    section.GetReflection()->AddString(&section, key.field, text);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status SetConfigValue(const ConfigKeyField& key, const std::vector<std::string>& texts,
                            v1::Config& config) {
  Message& section = MutableSectionOf(key, config);
  if (key.field->is_repeated()) return SetList(key, texts, section);
  const std::string& text = texts.front();
  switch (key.field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return SetBool(key, text, section);
    case FieldDescriptor::CPPTYPE_ENUM:
      return SetEnum(key, text, section);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return SetDuration(key, text, section);
    case FieldDescriptor::CPPTYPE_STRING:
      return SetText(key, text, section);
    default:
      return SetNumber(key, text, section);
  }
}

std::vector<std::string> ConfigValueOf(const ConfigKeyField& key, const v1::Config& config) {
  const Message& section = SectionOf(key, config);
  const Reflection& reflection = *section.GetReflection();
  const bool bytes = key.rules->format() == v1::CONFIG_FORMAT_BYTES;
  std::vector<std::string> elements;
  if (key.field->is_repeated()) {
    for (int i = 0; i < reflection.FieldSize(section, key.field); ++i) {
      elements.push_back(reflection.GetRepeatedString(section, key.field, i));
    }
    return elements;
  }
  switch (key.field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      return {reflection.GetBool(section, key.field) ? "true" : "false"};
    case FieldDescriptor::CPPTYPE_ENUM:
      return {NameOf(*reflection.GetEnum(section, key.field))};
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      google::protobuf::Duration duration;
      duration.CopyFrom(reflection.GetMessage(section, key.field));
      return {FormatConfigDuration(ToDuration(duration))};
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return {reflection.GetString(section, key.field)};
    case FieldDescriptor::CPPTYPE_UINT32:
      return {FormatConfigNumber(reflection.GetUInt32(section, key.field), bytes)};
    default:
      return {FormatConfigNumber(reflection.GetUInt64(section, key.field), bytes)};
  }
}

std::vector<std::string> SplitConfigList(std::string_view text) {
  std::vector<std::string> elements;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    elements.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
    if (text.empty()) elements.emplace_back();  // "a," ends with an empty element
  }
  return elements;
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace wsrouter
