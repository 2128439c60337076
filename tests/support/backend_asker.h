#ifndef WSROUTER_TESTS_SUPPORT_BACKEND_ASKER_H_
#define WSROUTER_TESTS_SUPPORT_BACKEND_ASKER_H_

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "control/backend_routes.h"
#include "core/backend.h"
#include "gtest/gtest.h"

namespace wsrouter {

// Asks a backend as a shard does, and writes its answers down as text. Any thread.
class BackendAsker {
 public:
  explicit BackendAsker(Backend& backend) : backend_(backend) {}

  struct Asked {
    Backend::Ticket ticket = 0;
    std::future<std::string> answer;

    // "let in as alice ...", "refused 4003 ...", "send(hi) ...",
    // "may join", "JOIN_FORBIDDEN members only"; waits for it.
    std::string Get() {
      if (answer.wait_for(std::chrono::seconds(20)) == std::future_status::ready) {
        return answer.get();
      }
      ADD_FAILURE() << "waited in vain for an answer";
      return "none";
    }
    bool Waits() const {
      return answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready;
    }
  };

  Asked Connect(uint64_t connection, std::optional<Own> proved = {},
                const std::string& path = "/ws");
  Asked Message(uint64_t connection, const std::string& text, const std::string& client = "alice",
                const std::string& path = "/ws");
  Asked JoinCheck(uint64_t connection, const std::string& room, const std::string& client = "alice",
                  const std::string& path = "/ws");
  void Disconnected(uint64_t connection, uint16_t code = 1000, const std::string& client = "alice",
                    const std::string& path = "/ws");

  static ConnectionId IdOf(uint64_t counter) { return {{"node-1", 7}, 0, counter}; }

 private:
  Backend& backend_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_BACKEND_ASKER_H_
