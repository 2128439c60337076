#ifndef WSROUTER_CONTROL_CONTROL_OPTIONS_H_
#define WSROUTER_CONTROL_CONTROL_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/certificate.h"
#include "control/role.h"
#include "core/rate_limit.h"

namespace wsrouter {

// How the gRPC side listens and what it bounds, with the production defaults; config.proto has
// those that can be set.
struct ControlOptions {
  std::string listen = "127.0.0.1:9090";  // host:port; port 0 picks a free one
  bool insecure_control = false;          // allows an address that is not loopback
  TlsFiles tls;
  std::string tokens_file;
  std::vector<NamedRole> client_names;  // of certificates that tls.client_ca vouches for
  size_t message_bytes_max = size_t{4} << 20;
  uint32_t streams_max = 100;  // open calls of one gRPC connection
  RateLimit calls_rate = {};   // of one caller
  uint32_t watchers_max = 64;
  uint32_t attached_max = 64;      // open streams of Events.Attach
  uint32_t consumers_max = 64;     // of Events.Consume
  uint32_t push_streams_max = 64;  // of Router.PushStream
  uint32_t watch_queue_events_max = 8192;
  size_t watch_queue_bytes_max = size_t{8} << 20;
  size_t payload_bytes_max = size_t{1} << 20;
  size_t memory_bytes_max = size_t{256} << 20;  // of all gRPC connections together
  int threads_max = 16;
  // A connection ends when it is this old, so that clients which balance over all nodes find new
  // ones. Calls get the grace to finish; streams of events end with it, UNAVAILABLE, and have to be
  // opened again. Long, since a stream that begins anew may have missed something.
  absl::Duration connection_age_max = absl::Hours(1);
  absl::Duration connection_age_grace = absl::Minutes(5);
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_CONTROL_OPTIONS_H_
