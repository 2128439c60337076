#include "control/bindable.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string>
#include <system_error>

#include "base/strings.h"
#include "fmt/format.h"

namespace wsrouter {

absl::Status NotBindable(const ListenAddress& address, std::string_view why) {
  return absl::UnavailableError(
      AbslView(fmt::format("control.listen {} cannot be bound: {}", address.ToString(), why)));
}

absl::Status CheckBindable(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = fmt::format("{}", address.port);
  if (const int error = getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found);
      error != 0) {
    return NotBindable(address, gai_strerror(error));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  int error = fd < 0 ? errno : 0;
  if (fd >= 0) {
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    // Two sockets may be bound to one port as long as neither listens.
    const bool listens = bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 1) == 0;
    error = listens ? 0 : errno;
    close(fd);
  }
  if (error == EADDRINUSE) return NotBindable(address, "the port is taken by another program");
  if (error != 0) return NotBindable(address, std::generic_category().message(error));
  return absl::OkStatus();
}

}  // namespace wsrouter
