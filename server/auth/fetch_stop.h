#ifndef WSROUTER_AUTH_FETCH_STOP_H_
#define WSROUTER_AUTH_FETCH_STOP_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/unique_fd.h"

namespace wsrouter {

// Ends the fetch that is under way, whatever it waits for on its socket: to be connected, a TLS
// handshake, an answer. Any thread.
class FetchStop {
 public:
  // The fetch begins to connect `socket`, which it may close before it lets go (Release). Once
  // stopped, nothing comes of that.
  void Hold(int socket);
  void Release();
  // This fetch only, also what it connects next.
  void Expire();
  // For good.
  void Stop();

 private:
  absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool expired_ ABSL_GUARDED_BY(mutex_) = false;  // until Release
  // A descriptor of our own: the number that the fetch has may be another's by the time we stop.
  UniqueFd held_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_AUTH_FETCH_STOP_H_
