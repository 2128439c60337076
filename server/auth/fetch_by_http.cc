#include <httplib.h>

#include <thread>

#include "absl/synchronization/notification.h"
#include "auth/key_keeper.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// Ends a fetch that takes longer, whatever it waits for: the library's timeouts begin anew with
// each octet, of a header too.
class FetchDeadline {
 public:
  FetchDeadline(FetchStop& stop, absl::Duration time)
      : thread_([this, &stop, time] {
          if (!over_.WaitForNotificationWithTimeout(time)) stop.Expire();
        }) {}
  ~FetchDeadline() {
    over_.Notify();
    thread_.join();
  }
  FetchDeadline(const FetchDeadline&) = delete;

 private:
  absl::Notification over_;
  std::thread thread_;
};

}  // namespace

absl::StatusOr<std::string> FetchByHttp(const std::string& url, FetchStop& stop) {
  const size_t slash = url.find('/', url.find("://") + 3);
  httplib::Client client(url.substr(0, slash));
  client.set_connection_timeout(3);
  client.set_read_timeout(3);
  client.set_follow_location(false);
  client.set_socket_options([&stop](int socket) { stop.Hold(socket); });
  std::string body;
  const auto result = [&] {
    const FetchDeadline deadline(stop, absl::Seconds(3));
    return client.Get(slash == std::string::npos ? "/" : url.substr(slash),
                      [&](const char* octets, size_t size) {
                        body.append(octets, size);
                        return body.size() <= KeySet::kJwksBytesMax;
                      });
  }();
  stop.Release();
  if (!result) return absl::UnavailableError(httplib::to_string(result.error()));
  if (result->status != 200) {
    return absl::UnavailableError(fmt::format("answers with status {}", result->status));
  }
  return body;
}

}  // namespace wsrouter
