#ifndef WSROUTER_CONTROL_BACKEND_CONFINE_H_
#define WSROUTER_CONTROL_BACKEND_CONFINE_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/backend_service.h"

namespace wsrouter {

// Keeps the services of a route to the rooms that begin with `prefix`. A Connect that names another
// is refused as a whole; of a Message, the effects that do are taken out, and how many is returned.
// What is for a client or for the connection itself stays: a service that could not speak to its
// clients would be of no use, and whose clients those are nobody knows.
absl::StatusOr<size_t> Confine(std::string_view prefix, BackendResponse& response);

// What is said of it.
absl::Status OutsideOfPrefix(std::string_view field);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_BACKEND_CONFINE_H_
