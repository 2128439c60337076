#ifndef WSROUTER_CONFIG_FORMAT_H_
#define WSROUTER_CONFIG_FORMAT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wsrouter/v1/config_options.pb.h"

namespace wsrouter {

// An address to listen on, as CONFIG_FORMAT_LISTEN writes it.
struct ConfigAddress {
  std::string host;  // numeric, without brackets
  uint16_t port = 0;
  bool loopback = false;

  std::string ToString() const;  // "127.0.0.1:8080", "[::1]:8080"
};

// Nothing unless `text` is host:port with a numeric address (IPv6 in brackets) or localhost.
std::optional<ConfigAddress> ParseConfigAddress(std::string_view text);

// Whether a text looks as `format` wants. Looks at the file system for CONFIG_FORMAT_FILE.
bool HasFormat(v1::ConfigFormat format, std::string_view text);

// What `format` wants, for the message of a refusal: "a path that begins with '/'".
std::string_view WantedBy(v1::ConfigFormat format);

}  // namespace wsrouter

#endif  // WSROUTER_CONFIG_FORMAT_H_
