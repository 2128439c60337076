#ifndef WSROUTER_ENGINE_ENGINE_H_
#define WSROUTER_ENGINE_ENGINE_H_

#include "absl/time/time.h"
#include "core/broker.h"
#include "core/directory.h"
#include "core/event_log.h"
#include "core/history.h"
#include "core/rate_limits.h"
#include "core/sessions.h"

namespace wsrouter {

// What makes nodes one cluster: a broker, a directory, and whatever keeps both true.
class Engine {
 public:
  virtual ~Engine() = default;

  virtual Broker& broker() = 0;
  virtual Directory& directory() = 0;
  virtual RateLimits& rates() = 0;
  virtual History& history() = 0;
  virtual EventLog& log() = 0;
  virtual Sessions& sessions() = 0;

  // Before the first shard. Returns at once; the node is a part of the cluster when Joined says so.
  virtual void Start() = 0;

  // Whether the node has been a part of the cluster since it started: from then on it serves its
  // clients, whatever becomes of the others. Any thread.
  virtual bool Joined() const = 0;

  // Limits and histories of rooms from now on. All nodes of a cluster should be told; meanwhile a
  // push is under those of the node that it is made at. Any thread.
  virtual void SetNamespaces(const Namespaces& namespaces) = 0;

  // What the other nodes are to see of this one, at its next heartbeat. Any thread. One that is by
  // itself has nobody to tell.
  virtual void SetDraining(bool draining) { (void)draining; }

  // Gives back what the directory holds of this node, behind the last shard. Blocks for at most
  // about `patience`. May be repeated.
  virtual void Stop(absl::Duration patience) = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_ENGINE_H_
