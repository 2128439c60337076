#ifndef WSROUTER_TESTS_SUPPORT_LINKED_H_
#define WSROUTER_TESTS_SUPPORT_LINKED_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/redis_link.h"
#include "gtest/gtest.h"
#include "tests/contract/awaiting.h"
#include "tests/support/link_watcher.h"

namespace wsrouter {

// Patience for tests: short silence, quick attempts.
inline RedisPatience Impatient() {
  return {.connect = absl::Seconds(5),
          .command = absl::Seconds(10),
          .silence = absl::Milliseconds(400),
          .backoff_min = absl::Milliseconds(5),
          .backoff_max = absl::Milliseconds(50)};
}

// Patience for tests in which nothing fails, on a machine that is busy with others.
inline RedisPatience Patient() {
  RedisPatience patience = Impatient();
  patience.silence = absl::Seconds(10);
  return patience;
}

// A link and who hears it.
struct Linked {
  explicit Linked(const std::string& url, const RedisPatience& patience = Patient())
      : Linked(ParseRedisUrl(url).value(), patience) {}
  explicit Linked(const RedisAddress& address, const RedisPatience& patience = Patient())
      : link(address, patience) {}
  ~Linked() { link.Stop(); }

  void StartUp() {
    link.Start(watcher);
    watcher.WaitUps(1);
  }
  absl::StatusOr<RedisValue> Command(std::vector<std::string> words) {
    Awaited<std::shared_ptr<absl::StatusOr<RedisValue>>> answer;
    link.Command(std::move(words), [take = answer.Take()](absl::StatusOr<RedisValue> value) {
      take(std::make_shared<absl::StatusOr<RedisValue>>(std::move(value)));
    });
    const auto came = answer.Wait();
    return came == nullptr ? absl::UnknownError("no answer") : *came;
  }
  absl::StatusOr<RedisValue> Run(const RedisScript& script, std::vector<std::string> keys,
                                 std::vector<std::string> arguments) {
    Awaited<std::shared_ptr<absl::StatusOr<RedisValue>>> answer;
    link.Run(script, std::move(keys), std::move(arguments),
             [take = answer.Take()](absl::StatusOr<RedisValue> value) {
               take(std::make_shared<absl::StatusOr<RedisValue>>(std::move(value)));
             });
    const auto came = answer.Wait();
    return came == nullptr ? absl::UnknownError("no answer") : *came;
  }
  absl::Status Subscribe(const std::string& channel) {
    Awaited<absl::Status> answer;
    link.Post([this, channel, take = answer.Take()]() mutable {
      link.Subscribe(channel, std::move(take));
    });
    return answer.Wait();
  }

  LinkWatcher watcher;
  RedisLink link;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_LINKED_H_
