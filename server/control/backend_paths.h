#ifndef WSROUTER_CONTROL_BACKEND_PATHS_H_
#define WSROUTER_CONTROL_BACKEND_PATHS_H_

#include <array>
#include <atomic>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "control/backend_options.h"

namespace wsrouter {

// Which paths services are there for, as shards need to know with each client and each message:
// what the desk last said. Any thread.
class BackendPaths {
 public:
  struct Row {
    std::string prefix;
    BackendMethodSet methods;
    std::array<absl::Duration, kBackendMethods> unimplemented_until{};
    bool attached = false;  // a service that is there
    bool dialled = false;   // neither: a route that waits for one to attach
  };

  void Set(std::vector<Row> rows);

  bool Decides(std::string_view path) const;
  // Whether questions of that kind about the path have somebody to answer them.
  bool Hears(std::string_view path, absl::Duration now,
             BackendMethod method = BackendMethod::kMessage) const;

 private:
  std::atomic<bool> any_ = false;  // most nodes have none, and then no lock is taken
  mutable absl::Mutex mutex_;
  std::vector<Row> rows_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_BACKEND_PATHS_H_
