#ifndef WSROUTER_CONFIG_RULES_H_
#define WSROUTER_CONFIG_RULES_H_

#include "absl/status/status.h"
#include "wsrouter/v1/config.pb.h"

namespace wsrouter {

// What must hold between keys, as config.proto says with each. The message names the key.
absl::Status CheckConfigRules(const v1::Config& config);

}  // namespace wsrouter

#endif  // WSROUTER_CONFIG_RULES_H_
