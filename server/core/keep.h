#ifndef WSROUTER_CORE_KEEP_H_
#define WSROUTER_CORE_KEEP_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace wsrouter {

inline constexpr size_t kKeepTextBytesMax = 255;  // of an idempotency key, of a version's epoch

// Where a push is in the history of its room. Offsets begin at 1 and grow by one each. They mean
// something within their epoch alone: a room gets a new one when what it had was lost.
struct Position {
  uint64_t offset = 0;  // 0: in no history
  std::string epoch;

  friend bool operator==(const Position&, const Position&) = default;
};

// What a push to a room asks for beyond its delivery (core/history.h).
struct Keep {
  bool reliable = false;             // the room's history has it, or it is not sent
  std::string idempotency_key = {};  // a second one with it is not sent; empty: each is sent
  uint64_t version = 0;              // one that is not newer is not sent; 0: it has none
  std::string version_epoch = {};    // versions of different epochs are not compared
};

// What became of it.
struct Kept {
  enum class Fate : uint8_t {
    kSent,
    kDuplicate,  // not sent; the position is that of the first with the same key
    kStale,      // not sent; the position is the room's last one
  };
  Fate fate = Fate::kSent;
  Position position = {};
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_KEEP_H_
