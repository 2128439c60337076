#include <httplib.h>

#include "auth/key_keeper.h"
#include "fmt/format.h"

namespace wsrouter {

absl::StatusOr<std::string> FetchByHttp(const std::string& url, FetchStop& stop) {
  const size_t slash = url.find('/', url.find("://") + 3);
  httplib::Client client(url.substr(0, slash));
  client.set_connection_timeout(3);
  client.set_read_timeout(3);
  client.set_follow_location(false);
  client.set_socket_options([&stop](int socket) { stop.Hold(socket); });
  const SystemClock clock;
  const absl::Duration deadline = clock.Now().uptime + absl::Seconds(3);  // also for one that drips
  std::string body;
  const auto result = client.Get(
      slash == std::string::npos ? "/" : url.substr(slash), [&](const char* octets, size_t size) {
        body.append(octets, size);
        return body.size() <= KeySet::kJwksBytesMax && clock.Now().uptime < deadline;
      });
  stop.Release();
  if (!result) return absl::UnavailableError(httplib::to_string(result.error()));
  if (result->status != 200) {
    return absl::UnavailableError(fmt::format("answers with status {}", result->status));
  }
  return body;
}

}  // namespace wsrouter
