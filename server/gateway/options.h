#ifndef WSROUTER_GATEWAY_OPTIONS_H_
#define WSROUTER_GATEWAY_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/credentials.h"
#include "gateway/forwarded.h"
#include "gateway/upgrade.h"

namespace wsrouter {

// What the gateway is told; config.proto says what each means to an operator.
struct GatewayOptions {
  std::vector<std::string> listen = {"0.0.0.0:8080"};  // host:port or [v6]:port; port 0: any free
  uint16_t shards = 1;
  UpgradePolicy upgrade;
  bool client_protocol = false;  // wsrouter.v1.json, where it is selected, is spoken by the node
  CredentialPlaces credentials;
  TrustedProxies trusted_proxies;
  bool refuse_visibly = true;  // 101 and a Close instead of an HTTP status, where a service refuses
  std::string page;            // HTML answered to GET /; empty: there is none
  std::vector<std::string> event_headers;  // lower case; what CONNECTED events show
  std::vector<std::string> event_cookies;
  std::string tls_cert_file;  // both or neither; with them every listener speaks TLS only
  std::string tls_key_file;
  uint32_t message_bytes_max = 64 << 10;
  uint32_t connections_max = 0;          // 0: RLIMIT_NOFILE less a reserve
  uint32_t connections_per_address = 0;  // 0: off; IPv6 counts by /64
  size_t mailbox_messages_max = 65'536;
  absl::Duration upgrade_timeout = absl::Seconds(10);
  absl::Duration close_timeout = absl::Seconds(5);
  absl::Duration ping_interval = absl::Seconds(25);  // zero: no pings
  absl::Duration pong_timeout = absl::Seconds(10);
  uint32_t frames_rate = 0;  // of one connection, a second; 0: off
  uint32_t frames_burst = 200;
  uint32_t connects_per_address_rate = 0;  // a second; 0: off
  uint32_t connects_per_address_burst = 200;
  absl::Duration half_open_patience = absl::Seconds(1);  // with a request, while others wait
  uint32_t half_open_max = 0;   // 0: a quarter of the connections, between 64 and 10,000
  uint64_t memory_max = 0;      // octets; 0: off
  absl::Duration loop_lag_max;  // zero: off
  uint32_t upgrades_rate = 0;   // a second; 0: off
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_OPTIONS_H_
