#ifndef WSROUTER_TESTS_SUPPORT_EVENTUALLY_H_
#define WSROUTER_TESTS_SUPPORT_EVENTUALLY_H_

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"

namespace wsrouter {

// Waits until `holds`, which other threads make so without telling. False after ten seconds, or
// after `patience` where that is given.
[[nodiscard]] bool Eventually(absl::FunctionRef<bool()> holds,
                              absl::Duration patience = absl::Seconds(10));

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_EVENTUALLY_H_
