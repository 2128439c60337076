#ifndef WSROUTER_ENGINE_REDIS_REPLY_H_
#define WSROUTER_ENGINE_REDIS_REPLY_H_

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/redis_value.h"

struct redisReply;

namespace wsrouter {

// The first word of an error answer, which says of what kind it is: NOSCRIPT, READONLY, ERR. For
// an error inside of a script, the word of that error.
std::string_view RedisErrorCode(std::string_view text);

// The text of an error answer as a status.
absl::Status RedisErrorStatus(std::string_view text);

// Empty where the answer is no error.
std::string_view RedisErrorText(const redisReply& reply);

// A copy of the answer; an error becomes a status.
absl::StatusOr<RedisValue> RedisAnswer(const redisReply& reply);

// The elements of an array, empty where they are not text. They live as long as the reply.
std::vector<std::string_view> RedisTexts(const redisReply& reply);

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_REPLY_H_
