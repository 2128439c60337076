#include "control/backend_paths.h"

#include <algorithm>
#include <utility>

#include "core/path.h"

namespace wsrouter {
namespace {

bool HearsNow(const BackendPaths::Row& row, absl::Duration now, BackendMethod method) {
  const auto index = static_cast<size_t>(method);
  return row.methods.test(index) && now >= row.unimplemented_until[index];
}

}  // namespace

void BackendPaths::Set(std::vector<Row> rows) {
  absl::MutexLock lock(&mutex_);
  rows_ = std::move(rows);
  any_.store(!rows_.empty(), std::memory_order_release);
}

bool BackendPaths::Decides(std::string_view path) const {
  if (!any_.load(std::memory_order_acquire)) return false;
  absl::ReaderMutexLock lock(&mutex_);
  return std::ranges::any_of(rows_, [&](const Row& row) {
    return IsBelow(path, row.prefix) &&
           (row.methods.test(static_cast<size_t>(BackendMethod::kConnect)) ||
            row.methods.test(static_cast<size_t>(BackendMethod::kDisconnected)));
  });
}

bool BackendPaths::Hears(std::string_view path, absl::Duration now, BackendMethod method) const {
  if (!any_.load(std::memory_order_acquire)) return false;
  absl::ReaderMutexLock lock(&mutex_);
  bool attached = false;
  const Row* route = nullptr;
  for (const Row& row : rows_) {
    if (!IsBelow(path, row.prefix)) continue;
    if (row.attached && HearsNow(row, now, method)) return true;
    attached = attached || row.attached;
    if (row.attached || (route != nullptr && route->prefix.size() >= row.prefix.size())) continue;
    route = &row;
  }
  // Services that are attached and do not hear messages speak for a route that waits for services.
  return route != nullptr && (route->dialled || !attached) && HearsNow(*route, now, method);
}

}  // namespace wsrouter
