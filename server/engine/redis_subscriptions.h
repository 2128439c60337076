#ifndef WSROUTER_ENGINE_REDIS_SUBSCRIPTIONS_H_
#define WSROUTER_ENGINE_REDIS_SUBSCRIPTIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "base/strings.h"
#include "engine/redis_connection.h"

namespace wsrouter {

// The channels of one subscriber connection. Redis acknowledges every SUBSCRIBE and UNSUBSCRIBE of
// a channel in the order in which they were sent, so the last one is through when as many were
// acknowledged as were asked for. The link's thread.
class RedisSubscriptions {
 public:
  using Done = absl::AnyInvocable<void(absl::Status) &&>;

  void Subscribe(std::string channel, Done done);
  void Unsubscribe(std::string_view channel);
  // Sends what was asked for since the last call, many channels in one command. `sharded`: as
  // sharded subscriptions.
  void Flush(RedisConnection& connection, bool sharded);

  void OnAcknowledged(std::string_view channel);
  // Whether the subscriber has asked for something that Redis has not acknowledged.
  bool Awaits(std::string_view channel) const;
  // Whether a message of the channel is told: also behind Unsubscribe, until Redis has acknowledged
  // it. Until then Redis counts this node among those that got the message, so whoever published it
  // waits for this node's answer.
  bool Heard(std::string_view channel) const;

  // Forgets all; those not answered hear UNAVAILABLE.
  void Clear(std::string_view why);

 private:
  struct Channel {
    bool wanted = false;
    uint32_t asked = 0;  // not acknowledged yet
    std::vector<Done> dones;
  };
  struct Change {
    std::string channel;
    bool subscribe;
  };

  StringMap<Channel> channels_;
  std::vector<Change> changes_;  // not sent yet
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_REDIS_SUBSCRIPTIONS_H_
