#ifndef WSROUTER_TESTS_SUPPORT_REDIS_CHECKER_H_
#define WSROUTER_TESTS_SUPPORT_REDIS_CHECKER_H_

#include <string>
#include <string_view>

#include "tests/support/private_redis.h"

namespace wsrouter {

// Walks all keys of the directory with this prefix and checks what engine/lua/rows.lua promises
// behind every script, from what the keys hold and without those scripts. Empty where all of it
// holds, else what does not, a line each. Nobody may write meanwhile.
std::string CheckRedis(const PrivateRedis& redis, std::string_view prefix);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_REDIS_CHECKER_H_
