#include "auth/strict_json.h"

#include "absl/container/flat_hash_set.h"
#include "base/json_depth.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

using nlohmann::json;

// Sees whether an object has a name twice, and builds nothing. A callback of the building parser
// would do, but makes it walk through all that an object or list has so far at the end of each of
// its members.
class NamesOnce : public nlohmann::json_sax<json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_array(size_t) override { return true; }
  bool end_array() override { return true; }
  bool start_object(size_t) override {
    names_.emplace_back();
    return true;
  }
  bool end_object() override {
    names_.pop_back();
    return true;
  }
  bool key(string_t& name) override { return names_.back().insert(name).second; }
  bool parse_error(size_t, const std::string&, const json::exception&) override { return false; }

 private:
  std::vector<absl::flat_hash_set<std::string>> names_;  // of the objects around
};

}  // namespace

std::optional<nlohmann::json> ParseJsonObject(std::string_view text) {
  // To the parser, a NUL is the end of the text.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  NamesOnce names;
  if (NestsDeeper(text, kJsonDepthMax) || !json::sax_parse(text.begin(), text.end(), &names)) {
    return std::nullopt;
  }
  json parsed = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return std::nullopt;
  return parsed;
}

const std::string* FindString(const nlohmann::json& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

std::optional<std::vector<std::string>> StringsOf(const nlohmann::json& array) {
  if (!array.is_array()) return std::nullopt;
  std::vector<std::string> strings;
  strings.reserve(array.size());
  for (const nlohmann::json& value : array) {
    if (!value.is_string()) return std::nullopt;
    strings.push_back(value.get_ref<const std::string&>());
  }
  return strings;
}

}  // namespace wsrouter
