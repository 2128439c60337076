#include "engine/redis_value.h"

namespace wsrouter {

int64_t RedisValue::integer() const {
  const int64_t* number = std::get_if<int64_t>(&value);
  return number == nullptr ? 0 : *number;
}

const std::string& RedisValue::text() const {
  static const std::string kNone;
  const std::string* text = std::get_if<std::string>(&value);
  return text == nullptr ? kNone : *text;
}

const RedisValue::Array& RedisValue::array() const {
  static const Array kNone;
  const Array* values = std::get_if<Array>(&value);
  return values == nullptr ? kNone : *values;
}

}  // namespace wsrouter
