#include "tests/support/eventually.h"

#include <poll.h>

#include "absl/time/clock.h"

namespace wsrouter {

bool Eventually(absl::FunctionRef<bool()> holds, absl::Duration patience) {
  const absl::Time deadline = absl::Now() + patience;
  while (!holds()) {
    if (absl::Now() > deadline) return false;
    (void)poll(nullptr, 0, 1);
  }
  return true;
}

}  // namespace wsrouter
