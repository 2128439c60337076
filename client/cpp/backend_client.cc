#include "wsrouter/backend_client.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "backend_stubs.h"
#include "to_proto.h"

namespace wsrouter::client {
namespace {

std::shared_ptr<grpc::Channel> MakeChannel(const BackendClientOptions& options) {
  // The channel looks for a lost node this often by itself, so that the streams' own backoff, which
  // has full jitter, decides when they come back.
  constexpr int kReconnectMsMin = 200;
  constexpr int kReconnectMsMax = 1000;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kReconnectMsMin);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kReconnectMsMax);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(options.keepalive)));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(absl::ToInt64Milliseconds(options.keepalive_timeout)));
  // gRPC stops probing after two pings without data otherwise, and a quiet stream has none.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  return grpc::CreateCustomChannel(
      options.target,
      options.credentials ? options.credentials : grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace

using RouterStub = v1::Router::Stub;
using AdminStub = v1::Admin::Stub;

BackendClient::BackendClient(BackendClientOptions options)
    : stubs_(std::make_shared<const Stubs>(MakeChannel(options), options)) {}

BackendClient::BackendClient(std::shared_ptr<grpc::Channel> channel, BackendClientOptions options)
    : stubs_(std::make_shared<const Stubs>(channel, std::move(options))) {}

BackendClient::~BackendClient() = default;

absl::StatusOr<v1::OwnResponse> BackendClient::Own(const OwnRequest& request,
                                                   const CallOptions& options) {
  return stubs_->Call(&RouterStub::Own, ToProto(request), options);
}

absl::StatusOr<v1::ReleaseResponse> BackendClient::Release(const Member& who,
                                                           const std::optional<CloseReason>& close,
                                                           const CallOptions& options) {
  v1::ReleaseRequest request;
  SetTarget(who, request);
  if (close) {
    request.mutable_close()->set_code(close->code);
    request.mutable_close()->set_reason(close->reason);
  }
  return stubs_->Call(&RouterStub::Release, request, options);
}

absl::StatusOr<v1::JoinResponse> BackendClient::Join(const Member& who,
                                                     const std::vector<std::string>& rooms,
                                                     const CallOptions& options) {
  v1::JoinRequest request;
  SetTarget(who, request);
  request.mutable_rooms()->Assign(rooms.begin(), rooms.end());
  return stubs_->Call(&RouterStub::Join, request, options);
}

absl::StatusOr<v1::LeaveResponse> BackendClient::Leave(const Member& who,
                                                       const std::vector<std::string>& rooms,
                                                       const CallOptions& options) {
  v1::LeaveRequest request;
  SetTarget(who, request);
  request.mutable_rooms()->Assign(rooms.begin(), rooms.end());
  return stubs_->Call(&RouterStub::Leave, request, options);
}

absl::StatusOr<v1::DisconnectResponse> BackendClient::Disconnect(const Target& whom,
                                                                 const CloseReason& close,
                                                                 const CallOptions& options) {
  v1::DisconnectRequest request;
  SetTarget(whom, request);
  request.set_code(close.code);
  request.set_reason(close.reason);
  return stubs_->Call(&RouterStub::Disconnect, request, options);
}

absl::StatusOr<v1::PushResponse> BackendClient::Push(const PushRequest& request,
                                                     const CallOptions& options) {
  return stubs_->Call(&RouterStub::Push, ToProto(request), options);
}

absl::StatusOr<v1::PushAllResponse> BackendClient::PushAll(const PushAllRequest& request,
                                                           const CallOptions& options) {
  return stubs_->Call(&RouterStub::PushAll, ToProto(request), options);
}

absl::StatusOr<v1::SendToClientResponse> BackendClient::SendToClient(
    const SendToClientRequest& request, const CallOptions& options) {
  return stubs_->Call(&RouterStub::SendToClient, ToProto(request), options);
}

absl::StatusOr<v1::SendToConnectionResponse> BackendClient::SendToConnection(
    const SendToConnectionRequest& request, const CallOptions& options) {
  return stubs_->Call(&RouterStub::SendToConnection, ToProto(request), options);
}

absl::StatusOr<v1::BroadcastResponse> BackendClient::Broadcast(const std::string& channel,
                                                               const Payload& payload,
                                                               const CallOptions& options) {
  v1::BroadcastRequest request;
  request.set_channel(channel);
  *request.mutable_payload() = ToProto(payload);
  return stubs_->Call(&RouterStub::Broadcast, request, options);
}

absl::StatusOr<v1::HistoryResponse> BackendClient::History(const v1::HistoryRequest& request,
                                                           const CallOptions& options) {
  return stubs_->Call(&RouterStub::History, request, options);
}

absl::StatusOr<v1::TrimHistoryResponse> BackendClient::TrimHistory(
    const v1::TrimHistoryRequest& request, const CallOptions& options) {
  return stubs_->Call(&RouterStub::TrimHistory, request, options);
}

absl::StatusOr<v1::IsMemberResponse> BackendClient::IsMember(const std::string& room,
                                                             const Member& who,
                                                             const CallOptions& options) {
  v1::IsMemberRequest request;
  request.set_room(room);
  SetTarget(who, request);
  return stubs_->Call(&RouterStub::IsMember, request, options);
}

absl::StatusOr<v1::RoomSizeResponse> BackendClient::RoomSize(const std::string& room,
                                                             const CallOptions& options) {
  v1::RoomSizeRequest request;
  request.set_room(room);
  return stubs_->Call(&RouterStub::RoomSize, request, options);
}

absl::StatusOr<v1::MembersResponse> BackendClient::Members(const v1::MembersRequest& request,
                                                           const CallOptions& options) {
  return stubs_->Call(&RouterStub::Members, request, options);
}

absl::StatusOr<v1::RoomsResponse> BackendClient::Rooms(const v1::RoomsRequest& request,
                                                       const CallOptions& options) {
  return stubs_->Call(&RouterStub::Rooms, request, options);
}

absl::StatusOr<v1::OnlineCountResponse> BackendClient::OnlineCount(const CallOptions& options) {
  return stubs_->Call(&RouterStub::OnlineCount, v1::OnlineCountRequest(), options);
}

absl::StatusOr<v1::OnlineByServerResponse> BackendClient::OnlineByServer(
    const CallOptions& options) {
  return stubs_->Call(&RouterStub::OnlineByServer, v1::OnlineByServerRequest(), options);
}

absl::StatusOr<v1::GetClientResponse> BackendClient::GetClient(const std::string& client_id,
                                                               const CallOptions& options) {
  v1::GetClientRequest request;
  request.set_client_id(client_id);
  return stubs_->Call(&RouterStub::GetClient, request, options);
}

absl::StatusOr<v1::ConnectionsResponse> BackendClient::Connections(
    const v1::ConnectionsRequest& request, const CallOptions& options) {
  return stubs_->Call(&RouterStub::Connections, request, options);
}

absl::StatusOr<v1::StatsResponse> BackendClient::Stats(const CallOptions& options) {
  return stubs_->Call(&AdminStub::Stats, v1::StatsRequest(), options);
}

absl::StatusOr<v1::NodesResponse> BackendClient::Nodes(const CallOptions& options) {
  return stubs_->Call(&AdminStub::Nodes, v1::NodesRequest(), options);
}

absl::StatusOr<v1::RunStaleServerGCResponse> BackendClient::RunStaleServerGC(
    const CallOptions& options) {
  return stubs_->Call(&AdminStub::RunStaleServerGC, v1::RunStaleServerGCRequest(), options);
}

absl::StatusOr<v1::GetConfigResponse> BackendClient::GetConfig(const CallOptions& options) {
  return stubs_->Call(&AdminStub::GetConfig, v1::GetConfigRequest(), options);
}

absl::StatusOr<v1::DrainResponse> BackendClient::Drain(std::optional<absl::Duration> window,
                                                       const CallOptions& options) {
  v1::DrainRequest request;
  if (window) *request.mutable_window() = ToProto(*window);
  return stubs_->Call(&AdminStub::Drain, request, options);
}

absl::StatusOr<v1::UndrainResponse> BackendClient::Undrain(const CallOptions& options) {
  return stubs_->Call(&AdminStub::Undrain, v1::UndrainRequest(), options);
}

}  // namespace wsrouter::client
