#ifndef WSROUTER_CORE_BACKEND_H_
#define WSROUTER_CORE_BACKEND_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "core/envelope.h"
#include "core/event.h"
#include "core/frame.h"
#include "core/ids.h"

namespace wsrouter {

// What is granted to a client that asks to be let in.
struct Admission {
  std::optional<Own> own;           // absent: it is let in, and is nobody yet
  std::vector<FramePtr> greetings;  // sent before anything else
  std::string subprotocol;          // one that it offered; empty: as the gateway selects
};

// Why it is not let in.
struct Denial {
  CloseWith close;
  absl::Duration retry_after;  // zero: not said
};

using ConnectAnswer = std::variant<Admission, Denial>;

// A client that asks to be let in. Its connection has an id already and is no connection yet.
struct ConnectQuestion {
  ConnectionId connection;
  std::shared_ptr<const Handshake> handshake;
  std::string token;          // that it brought along; a secret
  std::string session;        // likewise, a cookie that a web framework signed
  std::optional<Own> proved;  // who it is, by one of these
};

// Something that a client said. `room` is the client's word alone: what it says it is about.
struct MessageQuestion {
  ConnectionId connection;
  ClientId client;  // the bound identity; empty while there is none
  std::shared_ptr<const Handshake> handshake;
  Opcode opcode = Opcode::kText;
  std::string payload;
  std::vector<RoomName> rooms;
  RoomName room = {};  // empty: none
};

// A client that wants to join a room by itself.
struct JoinQuestion {
  ConnectionId connection;
  ClientId client;  // the bound identity
  std::shared_ptr<const Handshake> handshake;
  RoomName room;
  std::vector<RoomName> rooms;  // that the connection is in
};

// What is to happen because of it, one behind the other, and before the connection's next message.
using Effects = std::vector<Envelope>;
struct MessageAnswer {
  MessageAnswer(Effects effects = {}, FramePtr reply = nullptr)
      : effects(std::move(effects)), reply(std::move(reply)) {}

  Effects effects;
  FramePtr reply;  // for the client that asked; null: none
};

// SEAM 5. The services that decide about clients. The path of a connection says whether anybody
// does.
//
// Questions are asked on shard threads and must not block; what waits is bounded, and answered in
// any case: a service that does not answer is answered for, as the configuration says. `done` is
// called once, on any thread, perhaps inside the question; of a question that was cancelled it may
// be called or dropped.
class Backend {
 public:
  using Ticket = uint64_t;

  virtual ~Backend() = default;

  virtual bool Decides(std::string_view path) const = 0;
  virtual Ticket Connect(ConnectQuestion question,
                         absl::AnyInvocable<void(ConnectAnswer) &&> done) = 0;

  // Of one connection, one message is asked about at a time.
  virtual bool Hears(std::string_view path) const = 0;
  virtual Ticket Message(MessageQuestion question,
                         absl::AnyInvocable<void(MessageAnswer) &&> done) = 0;

  // Whether somebody says which rooms clients may join; nobody: none but those of their may_join.
  virtual bool ChecksJoins(std::string_view path) const = 0;
  // OK: it may join. Otherwise a refusal for the client: JOIN_FORBIDDEN, or JOIN_UNDECIDED where
  // no service answered. Of one connection one is asked about at a time, and no message meanwhile.
  virtual Ticket JoinCheck(JoinQuestion question,
                           absl::AnyInvocable<void(absl::Status) &&> done) = 0;

  // Nobody waits for the answer any more.
  virtual void Cancel(Ticket ticket) = 0;

  // The end of a connection that was let in. Its detail is event::Disconnected.
  virtual void Disconnected(const Event& event, const Handshake& handshake) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_BACKEND_H_
