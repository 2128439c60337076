#ifndef WSROUTER_ENGINE_REDIS_ANSWER_H_
#define WSROUTER_ENGINE_REDIS_ANSWER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "core/directory.h"
#include "engine/redis_link.h"
#include "engine/redis_value.h"

namespace wsrouter {

// How the answers of the scripts become those of Directory.

absl::Status DirectoryUnavailable(std::string_view why);

// A command's failure as the directory's: UNAVAILABLE gets the reason DIRECTORY_UNAVAILABLE.
absl::Status DirectoryStatus(const absl::Status& status);

// The answer's integer at `index`; zero where there is none.
uint64_t NumberAt(const RedisValue& answer, size_t index);

// The connections that texts from `index` on name.
std::vector<ConnectionId> ConnectionsFrom(const RedisValue& answer, size_t index);

// `text` up to the separator, which it loses; all of it where there is none.
std::string_view TakePart(std::string_view& text);

// Hands on what `parse` makes of the answer: an absl::StatusOr<Answer>.
template <typename Answer, typename Parse>
RedisLink::Done Answering(Directory::Done<Answer> done, Parse parse) {
  return [done = std::move(done),
          parse = std::move(parse)](absl::StatusOr<RedisValue> answer) mutable {
    if (!answer.ok()) {
      std::move(done)(DirectoryStatus(answer.status()));
    } else {
      std::move(done)(absl::StatusOr<Answer>(parse(*answer)));
    }
  };
}

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_ANSWER_H_
