#ifndef WSROUTER_ENGINE_REDIS_ADDRESS_H_
#define WSROUTER_ENGINE_REDIS_ADDRESS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace wsrouter {

struct RedisEndpoint {
  std::string host;  // a name or an address
  uint16_t port = 0;
};

// `host:port`, IPv6 in brackets.
absl::StatusOr<RedisEndpoint> ParseRedisEndpoint(std::string_view text);

// How TLS is spoken. The files are read again for each connection.
struct RedisTlsOptions {
  bool on = false;
  std::string ca_file;      // whom we believe, PEM; empty: whom this system believes
  std::string cert_file;    // who we are, PEM; empty: that is not said
  std::string key_file;     // of cert_file
  std::string server_name;  // what the server's certificate must be for; empty: the host
};

// Where a Redis is and who we are to it.
struct RedisAddress {
  std::string host;  // a name or an address; empty: unix_path
  uint16_t port = 6379;
  std::string unix_path;
  std::string username;  // empty: the default user (AUTH with the password alone)
  std::string password;  // empty: no AUTH
  uint32_t database = 0;
  RedisTlsOptions tls;

  // Where these are set, host and port are what one of them says of the master of this name.
  std::vector<RedisEndpoint> sentinels;
  std::string master;
  std::string sentinel_username;  // as above, to the sentinels
  std::string sentinel_password;

  // Some servers of a Redis Cluster. Where these are set, host and port are those of the master
  // that one of them names for the hash slot of `root`.
  std::vector<RedisEndpoint> cluster;

  // What the names of all our keys and channels begin with; the braces keep them in one hash slot.
  std::string root = "{wsrouter}:";

  bool direct() const { return sentinels.empty() && cluster.empty(); }

  std::string ToString() const;  // for people: without username and password
};

// `redis://[user][:password@]host[:port][/database]`, `rediss://` likewise with TLS,
// `redis+unix://[user][:password@]/path/to/socket[?db=n]`; user and password are percent-encoded
// (RFC 3986 section 2.1). The error never shows the password.
absl::StatusOr<RedisAddress> ParseRedisUrl(std::string_view url);

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_ADDRESS_H_
