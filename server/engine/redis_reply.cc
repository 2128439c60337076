#include "engine/redis_reply.h"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <initializer_list>
#include <string>

#include "base/strings.h"

namespace wsrouter {
namespace {

bool OneOf(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

RedisValue Copy(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return {.value = int64_t{reply.integer}};
    case REDIS_REPLY_ARRAY: {
      RedisValue::Array values;
      values.reserve(reply.elements);
      for (size_t i = 0; i < reply.elements; ++i) values.push_back(Copy(*reply.element[i]));
      return {.value = std::move(values)};
    }
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
    case REDIS_REPLY_ERROR:
      return {.value = std::string(reply.str, reply.len)};
    default:
      return {};
  }
}

}  // namespace

std::string_view RedisErrorCode(std::string_view text) {
  // Before Redis 7, an error inside of a script came as "ERR Error running script (...): -CODE
  // ...".
  constexpr std::string_view kInside = ": -";
  if (text.starts_with("ERR Error running script")) {
    const size_t inside = text.rfind(kInside);
    if (inside != std::string_view::npos) text.remove_prefix(inside + kInside.size());
  }
  return text.substr(0, text.find(' '));
}

absl::Status RedisErrorStatus(std::string_view text) {
  const std::string_view code = RedisErrorCode(text);
  if (OneOf(code, {"NOAUTH", "WRONGPASS", "NOPERM"})) {
    return absl::PermissionDeniedError(AbslView(text));
  }
  // What passes by itself, or once another Redis is the master. ASK and TRYAGAIN say that a Redis
  // Cluster moves our hash slot: the keys are on two servers then, where no script is one step, so
  // it has to wait until MOVED says that the slot has arrived.
  if (OneOf(code, {"OOM", "LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "ASK",
                   "MOVED", "BUSY", "MISCONF", "NOREPLICAS"})) {
    return absl::UnavailableError(AbslView(text));
  }
  return absl::InternalError(AbslView(text));
}

std::string_view RedisErrorText(const redisReply& reply) {
  return reply.type == REDIS_REPLY_ERROR ? std::string_view(reply.str, reply.len)
                                         : std::string_view();
}

absl::StatusOr<RedisValue> RedisAnswer(const redisReply& reply) {
  if (reply.type == REDIS_REPLY_ERROR) return RedisErrorStatus(RedisErrorText(reply));
  return Copy(reply);
}

std::vector<std::string_view> RedisTexts(const redisReply& reply) {
  std::vector<std::string_view> texts(reply.type == REDIS_REPLY_ARRAY ? reply.elements : 0);
  for (size_t i = 0; i < texts.size(); ++i) {
    const redisReply& element = *reply.element[i];
    if (element.str != nullptr) texts[i] = {element.str, element.len};
  }
  return texts;
}

}  // namespace wsrouter
