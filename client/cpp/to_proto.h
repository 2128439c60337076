#ifndef WSROUTER_CLIENT_CPP_TO_PROTO_H_
#define WSROUTER_CLIENT_CPP_TO_PROTO_H_

#include <variant>

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "wsrouter/requests.h"
#include "wsrouter/v1/router.pb.h"

// The plain requests as messages, field by field.
namespace wsrouter::client {

v1::Payload ToProto(const Payload& payload);
v1::OwnRequest ToProto(const OwnRequest& request);
v1::PushRequest ToProto(const PushRequest& request);
v1::PushAllRequest ToProto(const PushAllRequest& request);
v1::SendToClientRequest ToProto(const SendToClientRequest& request);
v1::SendToConnectionRequest ToProto(const SendToConnectionRequest& request);
v1::WatchRequest ToProto(const WatchRequest& request);
v1::ConsumeRequest ToProto(const ConsumeRequest& request);
google::protobuf::Duration ToProto(absl::Duration duration);

// Sets the `target` of any request that has one of connection and client.
template <typename Request>
void SetTarget(const Member& who, Request& request) {
  if (const auto* connection = std::get_if<ConnectionId>(&who)) {
    request.set_connection_id(connection->value);
  } else {
    request.set_client_id(std::get<ClientId>(who).value);
  }
}

void SetTarget(const Target& whom, v1::DisconnectRequest& request);

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_CPP_TO_PROTO_H_
