#include "auth/strict_json.h"

#include "absl/container/flat_hash_set.h"
#include "nlohmann/json.hpp"

namespace wsrouter {
namespace {

using Event = nlohmann::json::parse_event_t;

// What the parser's events must not show.
class Strictness {
 public:
  bool Take(int depth, Event event, const nlohmann::json& parsed) {
    if (event == Event::object_start || event == Event::array_start) {
      kept_ = kept_ && depth < kJsonDepthMax;
    }
    if (event == Event::object_start) names_.emplace_back();
    if (event == Event::object_end) names_.pop_back();
    if (event == Event::key) {
      kept_ = names_.back().insert(parsed.get_ref<const std::string&>()).second && kept_;
    }
    return kept_;
  }
  bool kept() const { return kept_; }

 private:
  bool kept_ = true;
  std::vector<absl::flat_hash_set<std::string>> names_;  // of the objects around
};

}  // namespace

std::optional<nlohmann::json> ParseJsonObject(std::string_view text) {
  // To the parser, a NUL is the end of the text.
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  Strictness strictness;
  nlohmann::json parsed = nlohmann::json::parse(
      text.begin(), text.end(),
      [&](int depth, Event event, const nlohmann::json& value) {
        return strictness.Take(depth, event, value);
      },
      /*allow_exceptions=*/false);
  if (!strictness.kept() || !parsed.is_object()) return std::nullopt;
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
