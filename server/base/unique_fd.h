#ifndef WSROUTER_BASE_UNIQUE_FD_H_
#define WSROUTER_BASE_UNIQUE_FD_H_

#include <unistd.h>

#include <utility>

namespace wsrouter {

// Owns one file descriptor and closes it.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.Release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = other.Release();
    }
    return *this;
  }
  ~UniqueFd() { Reset(); }

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }
  void Reset() {
    if (fd_ >= 0) (void)close(std::exchange(fd_, -1));  // nothing can be done about a failure
  }

 private:
  int fd_ = -1;
};

}  // namespace wsrouter

#endif  // WSROUTER_BASE_UNIQUE_FD_H_
