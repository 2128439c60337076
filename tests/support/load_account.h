#ifndef WSROUTER_TESTS_SUPPORT_LOAD_ACCOUNT_H_
#define WSROUTER_TESTS_SUPPORT_LOAD_ACCOUNT_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "nlohmann/json_fwd.hpp"
#include "tests/support/session_load.h"

namespace wsrouter {

// What the clients of a SessionLoad have seen, in figures. Pushes to a room are texts "<number>
// <time>": numbered from 1 without a hole, the time in nanoseconds of the clock of SystemClock.
class LoadAccount {
 public:
  explicit LoadAccount(uint32_t clients) : clients_(clients) {}

  void OnUp(uint32_t client, bool resumed, absl::Duration away, absl::Duration opening,
            absl::Duration now);
  void OnDown(uint32_t client, SessionLoad::Loss loss);
  void OnClose(uint32_t client, uint16_t code, absl::Duration now);
  void OnRefused(int status) { ++refused_[status]; }
  void OnFrame(uint32_t client, std::string_view frame, absl::Duration now);

  // What a client that has come back says to be told what it missed in rooms with a history.
  std::vector<std::string> JoinsOf(uint32_t client) const;

  // How often clients have come, in all.
  uint64_t came() const { return came_; }
  // Since the account began, or the last Report; what clients have of their rooms goes on.
  nlohmann::json Report();

 private:
  // A client's place in a room.
  struct Place {
    std::string room;
    uint64_t last = 0;   // number
    bool away = false;   // it has been, since `last`
    std::string offset;  // of `last`, empty without a history
    std::string epoch;
  };
  struct Client {
    std::vector<Place> places;
    bool closed = false;  // the node has said Close
  };
  struct Count {
    uint64_t up = 0;
    uint64_t resumed = 0;
    uint64_t broken = 0;  // the node, or its end, ended a connection without a Close
    uint64_t pushes = 0;
    uint64_t lost = 0;    // holes in what came by one connection, or at all to a room with history
    uint64_t missed = 0;  // holes between two connections
    uint64_t kept = 0;    // pushes to rooms with history, each once
    uint64_t twice = 0;   // came again, or late
    uint64_t other = 0;   // frames that are no pushes
  };

  Place& PlaceIn(Client& client, std::string_view room);
  void OnPush(Client& client, std::string_view frame, absl::Duration now);

  std::vector<Client> clients_;
  Count count_;
  uint64_t came_ = 0;
  std::vector<std::string> holes_;  // the first ones of those that count as lost: room and number
  std::map<int, uint64_t> refused_;
  std::map<int, uint64_t> closes_;
  std::vector<absl::Duration> ups_;  // when, as they came
  std::vector<absl::Duration> closed_;
  std::vector<double> opening_ms_;
  std::vector<double> away_ms_;
  std::vector<double> delay_us_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_LOAD_ACCOUNT_H_
