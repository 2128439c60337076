#ifndef WSROUTER_CORE_TRANSPORT_H_
#define WSROUTER_CORE_TRANSPORT_H_

#include "core/connection.h"
#include "core/envelope.h"

namespace wsrouter {

// SEAM 3. What a shard needs of sockets. Called on the shard's thread only.
class Transport {
 public:
  virtual ~Transport() = default;

  // The connection's outbox is no longer empty: write it before this loop turn ends.
  virtual void WantWrite(Connection& connection) = 0;

  // Sends what the outbox holds, then a Close, then ends the socket. The shard has forgotten the
  // connection; no callback for it follows. Of one that was parked all that is left ends.
  virtual void Close(Connection& connection, CloseWith close) = 0;

  // connection.deadline has changed.
  virtual void Rearm(Connection& connection) = 0;

  // The connection was opened with an owner, and now that is in force: the client may be told.
  virtual void Admitted(Connection& connection) = 0;

  // No OnMessage for the connection between the two: what its client sends waits. Resume may call
  // OnMessage.
  virtual void Pause(Connection& connection) = 0;
  // Pauses, but where the next that comes of the client is its end, OnClose is called at once.
  virtual void PauseAndWatch(Connection& connection) = 0;
  virtual void Resume(Connection& connection) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_TRANSPORT_H_
