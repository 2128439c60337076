#ifndef WSROUTER_TESTS_SUPPORT_CALL_SAMPLES_H_
#define WSROUTER_TESTS_SUPPORT_CALL_SAMPLES_H_

#include <map>
#include <string>
#include <vector>

namespace wsrouter {

// A valid request of each method with every field set, ID standing for a connection; and what must
// not be missing.
struct Sample {
  std::string json;
  std::vector<std::string> required;
};
inline const std::map<std::string, Sample>& Samples() {
  static const std::map<std::string, Sample> samples = {
      {"Own",
       {R"("connection_id":"ID","client_id":"alice","on_duplicate":"ON_DUPLICATE_ALLOW",
           "rooms":["lobby"],"labels":{"k":"v"},"may_join":["chat:*"],"expires_at":"2100-01-01T00:00:00Z")",
        {"connection_id", "client_id"}}},
      {"Release", {R"("client_id":"c","close":{"code":1000,"reason":"bye"})", {"client_id"}}},
      {"Join", {R"("connection_id":"ID","rooms":["lobby"])", {"connection_id", "rooms"}}},
      {"Leave", {R"("client_id":"c","rooms":["lobby"])", {"client_id", "rooms"}}},
      {"Push",
       {R"("room":"lobby","payload":{"text":"x"},"from_client_id":"c",
           "except_connection_ids":["ID"],"except_client_ids":["c"],
           "options":{"slow_consumer":"SLOW_CONSUMER_POLICY_DROP","wait":"WAIT_ROUTED"},
           "reliable":true,"idempotency_key":"k","version":"1","version_epoch":"e")",
        {"room", "payload"}}},
      {"History", {R"("room":"r","since":{"offset":"1","epoch":"e"},"limit":9)", {"room"}}},
      {"TrimHistory", {R"("room":"r","keep":"1")", {"room", "keep"}}},
      {"SendToClient",
       {R"("client_id":"c","payload":{"binary":"AA=="},"from_client_id":"c","options":{})",
        {"client_id", "payload"}}},
      {"SendToConnection",
       {R"("connection_id":"ID","payload":{"text":"x"},"options":{})",
        {"connection_id", "payload"}}},
      {"Broadcast", {R"("channel":"c","payload":{"text":"x"})", {"channel", "payload"}}},
      {"PushAll",
       {R"("payload":{"text":"x"},"except_connection_ids":["ID"],"except_client_ids":["c"],
           "options":{})",
        {"payload"}}},
      {"Disconnect", {R"("room":"r","code":4003,"reason":"bye")", {"room"}}},
      {"IsMember", {R"("room":"r","client_id":"c")", {"room", "client_id"}}},
      {"RoomSize", {R"("room":"r")", {"room"}}},
      {"Members", {R"("room":"r","cursor":"c","count":10,"include_labels":true)", {"room"}}},
      {"Rooms", {R"("prefix":"r","cursor":"r1","count":10)", {}}},
      {"GetClient", {R"("client_id":"c")", {"client_id"}}},
      {"Connections", {R"("cursor":"ID","count":10)", {}}},
      {"Drain", {R"("window":"1s")", {}}},
      {"SetRoomRateLimit", {R"("room":"r","n":1,"window":"1s")", {"room"}}},
      {"SetClientRateLimit", {R"("client_id":"c","n":1,"window":"1s")", {"client_id"}}},
      {"GetLimits", {R"("cursor":"rlobby","count":10)", {}}},
      {"ConsumerGroups", {"", {}}},
      {"DeleteGroup", {R"("group":"g")", {"group"}}},
      {"DeadLetters", {R"("group":"g","cursor":"c","count":10)", {"group"}}},
      {"RequeueDeadLetters", {R"("group":"g","ids":["1"])", {"group", "ids"}}},
      {"DropDeadLetters", {R"("group":"g","ids":["1"])", {"group", "ids"}}},
      {"Subscribe", {R"("channels":["c"])", {"channels"}}},
      {"Watch", {R"("rooms":["r"],"client_ids":["c"],"kinds":["EVENT_KIND_JOINED"])", {}}},
  };
  return samples;
}

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_CALL_SAMPLES_H_
