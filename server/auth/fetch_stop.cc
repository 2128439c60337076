#include "auth/fetch_stop.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wsrouter {

void FetchStop::Hold(int socket) {
  absl::MutexLock lock(&mutex_);
  held_ = UniqueFd(fcntl(socket, F_DUPFD_CLOEXEC, 0));
  if (!stopped_ && !expired_) return;
  // A socket that is not connected cannot be shut; what is no socket cannot be connected.
  const UniqueFd nothing(open("/dev/null", O_RDWR | O_CLOEXEC));
  dup3(nothing.get(), socket, O_CLOEXEC);
}

void FetchStop::Release() {
  absl::MutexLock lock(&mutex_);
  held_ = UniqueFd();
  expired_ = false;
}

void FetchStop::Expire() {
  absl::MutexLock lock(&mutex_);
  expired_ = true;
  if (held_.valid()) shutdown(held_.get(), SHUT_RDWR);
}

void FetchStop::Stop() {
  absl::MutexLock lock(&mutex_);
  stopped_ = true;
  if (held_.valid()) shutdown(held_.get(), SHUT_RDWR);
}

}  // namespace wsrouter
