#ifndef WSROUTER_CONFIG_FORMAT_H_
#define WSROUTER_CONFIG_FORMAT_H_

#include <string_view>

#include "wsrouter/v1/config_options.pb.h"

namespace wsrouter {

// Whether a text looks as `format` wants. Looks at the file system for CONFIG_FORMAT_FILE.
bool HasFormat(v1::ConfigFormat format, std::string_view text);

// What `format` wants, for the message of a refusal: "a path that begins with '/'".
std::string_view WantedBy(v1::ConfigFormat format);

}  // namespace wsrouter

#endif  // WSROUTER_CONFIG_FORMAT_H_
