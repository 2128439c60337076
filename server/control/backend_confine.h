#ifndef WSROUTER_CONTROL_BACKEND_CONFINE_H_
#define WSROUTER_CONTROL_BACKEND_CONFINE_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "control/backend_service.h"

namespace wsrouter {

// Keeps the services of a route to the rooms that begin with `prefix`. A Connect that names
// another, or a pattern of others, is refused as a whole; of a Message, the effects that do are
// taken out, and those in the name of another client than the one that spoke: limits would charge
// that one. Returns how many. What is for a client or for the connection itself stays: a service
// that could not speak to its clients would be of no use, and whose clients those are nobody knows.
//
// `response` answers `request`.
absl::StatusOr<size_t> Confine(std::string_view prefix, const BackendRequest& request,
                               BackendResponse& response);

// What is said of it.
absl::Status OutsideOfPrefix(std::string_view field);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_BACKEND_CONFINE_H_
