#ifndef WSROUTER_CLIENT_CTL_COMMANDS_H_
#define WSROUTER_CLIENT_CTL_COMMANDS_H_

#include <string>

#include "absl/status/status.h"
#include "wsrouter/backend_client.h"

namespace wsrouter::ctl {

// What a subcommand prints, to stdout: a table for people, or JSON as in the API.
struct Output {
  bool json = false;
};

absl::Status Nodes(client::BackendClient& node, Output output);
absl::Status Rooms(client::BackendClient& node, Output output, const std::string& prefix);
absl::Status Members(client::BackendClient& node, Output output, const std::string& room);
// The last `count` of what a room was sent, the oldest first.
absl::Status History(client::BackendClient& node, Output output, const std::string& room,
                     int count);
absl::Status Stats(client::BackendClient& node, Output output);
// Nodes and the busiest figures of the node that answers, every `seconds`, `times` (0: until
// killed).
absl::Status Top(client::BackendClient& node, Output output, double seconds, int times);
// Events as they come, `count` of them (0: until killed). Ends with the stream when it is refused.
absl::Status Watch(client::BackendClient& node, Output output, int count);

enum class To { kClient, kRoom, kEveryone };
absl::Status Send(client::BackendClient& node, Output output, To to, const std::string& name,
                  const std::string& text);
absl::Status Drain(client::BackendClient& node, Output output, double seconds);
absl::Status Undrain(client::BackendClient& node, Output output);

}  // namespace wsrouter::ctl

#endif  // WSROUTER_CLIENT_CTL_COMMANDS_H_
