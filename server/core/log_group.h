#ifndef WSROUTER_CORE_LOG_GROUP_H_
#define WSROUTER_CORE_LOG_GROUP_H_

#include <cstdint>
#include <string>
#include <vector>

namespace wsrouter {

// A consumer group of the event log, and what it has still to do.
struct LogGroup {
  std::string name;
  uint64_t lag = 0;      // entries that were not handed out yet
  uint64_t pending = 0;  // handed out and not settled
  uint64_t dead = 0;     // dead letters
  uint64_t consumers = 0;
  uint64_t lost = 0;  // entries that went before they were handed out
};
struct LogGroups {
  uint64_t appended = 0;  // entries ever
  uint64_t refused = 0;   // of these there was no room in Redis for
  std::vector<LogGroup> groups;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_LOG_GROUP_H_
