// Shows ThreadSanitizer the order that absl::Mutex makes. Debian's Abseil is not instrumented, so
// without this everything that such a mutex guards would be reported as a race.
//
// Only the tsan preset links this. A definition in the program comes before the one in the shared
// library, for the calls of gRPC too; each one here calls the library's and tells what it ordered.

#include <dlfcn.h>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);

namespace {

// A member function of the library, called with the object as its first argument, as the Itanium
// ABI does. Not a static of a function: its guard would itself be something to synchronize.
template <typename Result, typename... Arguments>
Result Real(const char* symbol, Arguments... arguments) {
  using Function = Result (*)(Arguments...);
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, symbol))(arguments...);
}

}  // namespace

#define WSROUTER_STRING_OF(x) #x
#define WSROUTER_STRING(x) WSROUTER_STRING_OF(x)
// The inline namespace of the package, which is in every mangled name behind its length.
static_assert(sizeof(WSROUTER_STRING(ABSL_OPTION_INLINE_NAMESPACE_NAME)) == 7 + 1);
#define WSROUTER_ABSL "_ZN4absl7" WSROUTER_STRING(ABSL_OPTION_INLINE_NAMESPACE_NAME)

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  Real<void>(WSROUTER_ABSL "5Mutex4LockEv", this);
  __tsan_acquire(this);
}

void Mutex::Unlock() {
  __tsan_release(this);
  Real<void>(WSROUTER_ABSL "5Mutex6UnlockEv", this);
}

bool Mutex::TryLock() {
  const bool locked = Real<bool>(WSROUTER_ABSL "5Mutex7TryLockEv", this);
  if (locked) __tsan_acquire(this);
  return locked;
}

void Mutex::ReaderLock() {
  Real<void>(WSROUTER_ABSL "5Mutex10ReaderLockEv", this);
  __tsan_acquire(this);
}

void Mutex::ReaderUnlock() {
  __tsan_release(this);
  Real<void>(WSROUTER_ABSL "5Mutex12ReaderUnlockEv", this);
}

void Mutex::Await(const Condition& condition) {
  __tsan_release(this);
  Real<void>(WSROUTER_ABSL "5Mutex5AwaitERKNS0_9ConditionE", this, &condition);
  __tsan_acquire(this);
}

bool Mutex::AwaitWithTimeout(const Condition& condition, Duration timeout) {
  return AwaitWithDeadline(condition, Now() + timeout);
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  __tsan_release(this);
  const bool held =
      Real<bool>(WSROUTER_ABSL "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE", this,
                 &condition, deadline);
  __tsan_acquire(this);
  return held;
}

void Mutex::LockWhen(const Condition& condition) {
  Real<void>(WSROUTER_ABSL "5Mutex8LockWhenERKNS0_9ConditionE", this, &condition);
  __tsan_acquire(this);
}

void CondVar::Wait(Mutex* mutex) {
  __tsan_release(mutex);
  Real<void>(WSROUTER_ABSL "7CondVar4WaitEPNS0_5MutexE", this, mutex);
  __tsan_acquire(mutex);
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  __tsan_release(mutex);
  const bool expired = Real<bool>(WSROUTER_ABSL "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE",
                                  this, mutex, deadline);
  __tsan_acquire(mutex);
  return expired;
}

bool CondVar::WaitWithTimeout(Mutex* mutex, Duration timeout) {
  return WaitWithDeadline(mutex, Now() + timeout);
}

ABSL_NAMESPACE_END
}  // namespace absl
