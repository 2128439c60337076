#ifndef WSROUTER_ENGINE_REDIS_VALUE_H_
#define WSROUTER_ENGINE_REDIS_VALUE_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace wsrouter {

// What Redis answered, copied out of the client library's memory. Error answers are statuses and
// no values, but for those inside of an array, which are text.
struct RedisValue {
  using Array = std::vector<RedisValue>;
  std::variant<std::monostate, int64_t, std::string, Array> value;  // monostate: nil

  bool nil() const { return std::holds_alternative<std::monostate>(value); }
  // The value as the kind that the command's documentation promises; zero, empty where it is not.
  int64_t integer() const;
  const std::string& text() const;
  const Array& array() const;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_VALUE_H_
