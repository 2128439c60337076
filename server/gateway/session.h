#ifndef WSROUTER_GATEWAY_SESSION_H_
#define WSROUTER_GATEWAY_SESSION_H_

#include <cstdint>
#include <list>
#include <memory>
#include <string>

#include "core/backend.h"
#include "core/connection.h"
#include "gateway/address_limit.h"
#include "gateway/frame_decoder.h"
#include "gateway/pressure.h"
#include "gateway/request_head.h"
#include "gateway/timer_wheel.h"
#include "gateway/token_rate.h"
#include "gateway/upgrade.h"

struct lws;

namespace wsrouter {

// One accepted socket, from accept to close. Lives exactly as long as its lws socket, but for one
// that the shard has parked: until the shard closes it.
struct Session final : Connection, Timer {
  enum class State : uint8_t {
    kHead,       // reading the request
    kAsking,     // its session is looked for, or a service decides; the shard gave it its id alone
    kOpening,    // the shard knows it; the client has been promised nothing yet
    kOpen,       // a WebSocket; the shard knows it
    kEcho,       // a WebSocket of the echo path; the shard does not know it
    kClosing,    // our Close (or refusal) is queued: nothing is sent behind it
    kLingering,  // all is sent and our side is shut: waits for the peer to end
    kParked,     // without a socket; its client may come back
  };
  // A place in a shard's list of those whose request is not complete, given back at its end.
  struct EndHead {
    std::list<Session*>::iterator at;
    void operator()(std::list<Session*>* heads) const { heads->erase(at); }
  };
  // What is known before the upgrade, and not needed behind it.
  struct Opening {
    RequestHeadParser parser;
    std::string peer;
    HalfOpenPlace half_open;
    bool surplus = false;  // the node has as many as it may: it gets an answer, and no more
    std::unique_ptr<std::list<Session*>, EndHead> listed;
  };
  // What is known before the client gets its answer, where that has to wait.
  struct Held {
    UpgradeAccepted accepted;
    Backend::Ticket ticket = 0;  // 0: no service was asked yet
    // The ordinary way in, if there is no session; a service is asked where one decides.
    std::unique_ptr<ConnectQuestion> question = {};
  };
  // What came before reading was paused, and what the client is owed for the pause.
  struct Unread {
    std::string text;  // from `begin` on
    size_t begin = 0;
    PauseCredit credit;
  };
  static constexpr uint32_t kNowhere = UINT32_MAX;

  explicit Session(uint32_t message_bytes_max) : decoder(message_bytes_max) {}

  lws* socket = nullptr;
  int fd = -1;  // of `socket`, which owns it
  State state = State::kHead;
  bool tls = false;
  bool peer_done = false;            // kClosing: nothing more is expected of the peer
  bool backlogged = false;           // the socket loop holds octets that the socket did not take
  bool paused = false;               // what is received waits
  bool watched = false;              // paused: but for an end that comes next
  bool pong_awaited = false;         // since ping_sent_us
  bool ping_pending = false;         // a Ping is out and no octet has come since
  uint32_t write_place = kNowhere;   // in ShardLoop's WriteQueue
  uint32_t doomed_place = kNowhere;  // in its list of sessions to cut
  FrameDecoder decoder;
  int64_t frames_full_at = 0;  // what it may still send (gateway/token_rate.h)
  AddressKey address{};
  absl::Duration heard_uptime;       // when the last octet came, or silence meant nothing
  absl::Duration ping_uptime;        // when the pending Ping went out, or was last seen to move on
  uint32_t unacked_bytes = 0;        // what the peer had not acknowledged then
  uint32_t ping_sent_us = 0;         // when the last Ping went out, as MicrosecondsOf has it
  absl::Duration end_uptime;         // kHead, kClosing, kLingering: when patience ends
  std::unique_ptr<Opening> opening;  // until the upgrade only
  std::unique_ptr<Held> held;        // kAsking, kOpening
  std::unique_ptr<Unread> unread;    // of a pause, until both are used up
};

// Of the uptime, for what takes less than 71 minutes: differences are right although it wraps.
inline uint32_t MicrosecondsOf(absl::Duration uptime) {
  return static_cast<uint32_t>(absl::ToInt64Microseconds(uptime));
}

static_assert(sizeof(Session) <= 448, "paid for by every connection");

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_SESSION_H_
