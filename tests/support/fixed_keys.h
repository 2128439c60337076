#ifndef WSROUTER_TESTS_SUPPORT_FIXED_KEYS_H_
#define WSROUTER_TESTS_SUPPORT_FIXED_KEYS_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/key_source.h"
#include "fmt/format.h"

namespace wsrouter {

// Keys that the test sets, and what was missed, as "<issuer> <kid>".
class FixedKeys final : public KeySource {
 public:
  std::shared_ptr<const KeySet> Keys(std::string_view issuer) override {
    asked.emplace_back(issuer);
    const auto found = sets.find(issuer);
    return found == sets.end() ? nullptr : found->second;
  }
  void Missed(std::string_view issuer, std::string_view kid) override {
    missed.push_back(fmt::format("{} {}", issuer, kid));
  }

  std::map<std::string, std::shared_ptr<const KeySet>, std::less<>> sets;
  std::vector<std::string> asked;
  std::vector<std::string> missed;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_FIXED_KEYS_H_
