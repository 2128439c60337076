#ifndef WSROUTER_CONTROL_BINDABLE_H_
#define WSROUTER_CONTROL_BINDABLE_H_

#include <string_view>

#include "absl/status/status.h"
#include "base/listen_address.h"

namespace wsrouter {

// Whether something can listen at `address`; why not, in words of the system. Binds a socket to
// find out.
absl::Status CheckBindable(const ListenAddress& address);
absl::Status NotBindable(const ListenAddress& address, std::string_view why);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_BINDABLE_H_
