#ifndef WSROUTER_CORE_DRAINABLE_H_
#define WSROUTER_CORE_DRAINABLE_H_

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace wsrouter {

// What can be emptied of its clients and filled again while it goes on working: a node, for the
// control plane. Any thread; returns at once. Refused with NODE_STOPPING while it starts or stops.
class Drainable {
 public:
  virtual ~Drainable() = default;

  // It reports not ready, lets nobody in any more, and closes who is connected with 1012, spread
  // over `window`; absent: as configured. Again: what is left is spread over the new window.
  virtual absl::Status Drain(std::optional<absl::Duration> window) = 0;
  // It reports ready and lets clients in again; who has not been closed yet stays. Of what is not
  // drained nothing changes.
  virtual absl::Status Undrain() = 0;
  virtual bool draining() const = 0;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_DRAINABLE_H_
