#include "control/backend_paths.h"

#include <algorithm>
#include <utility>

#include "core/path.h"

namespace wsrouter {
namespace {

constexpr auto kMessage = static_cast<size_t>(BackendMethod::kMessage);

bool HearsNow(const BackendPaths::Row& row, absl::Duration now) {
  return row.methods.test(kMessage) && now >= row.unimplemented_until[kMessage];
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

bool BackendPaths::Hears(std::string_view path, absl::Duration now) const {
  if (!any_.load(std::memory_order_acquire)) return false;
  absl::ReaderMutexLock lock(&mutex_);
  bool attached = false;
  const Row* route = nullptr;
  for (const Row& row : rows_) {
    if (!IsBelow(path, row.prefix)) continue;
    if (row.attached && HearsNow(row, now)) return true;
    attached = attached || row.attached;
    if (row.attached || (route != nullptr && route->prefix.size() >= row.prefix.size())) continue;
    route = &row;
  }
  // Services that are attached and do not hear messages speak for a route that waits for services.
  return route != nullptr && (route->dialled || !attached) && HearsNow(*route, now);
}

}  // namespace wsrouter
