#ifndef WSROUTER_CLIENT_BACKEND_CLIENT_H_
#define WSROUTER_CLIENT_BACKEND_CLIENT_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "wsrouter/backoff.h"
#include "wsrouter/error.h"
#include "wsrouter/event_stream.h"
#include "wsrouter/requests.h"
#include "wsrouter/v1/events.pb.h"

namespace grpc {
class Channel;
class ChannelCredentials;
}  // namespace grpc

namespace wsrouter::client {

struct BackendClientOptions {
  // Where a node takes gRPC: "127.0.0.1:9090", "dns:///wsrouter.example.org:9090".
  std::string target = "127.0.0.1:9090";
  // Null: plain text. grpc::SslCredentials(...) for TLS, with a certificate of this service where
  // the node asks for one.
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;
  // One of the node's control.tokens_file, sent with every call. In plain text whoever listens on
  // the way gets it. Empty: none.
  std::string token = {};
  // Sent with every call besides; keys in lower case.
  std::vector<std::pair<std::string, std::string>> metadata = {};
  // Of each call that does not say otherwise.
  absl::Duration deadline = absl::Seconds(5);
  // Of Watch, Subscribe and Consume. Faster than that of WebSocket clients: services are few, and a
  // connection that waits for its Own is closed after gateway.auth_timeout.
  BackoffOptions backoff = {.first_bound = absl::Milliseconds(500), .bound_max = absl::Seconds(3)};
  // A silent link is probed after this, and given up without an answer after keepalive_timeout.
  absl::Duration keepalive = absl::Seconds(30);
  absl::Duration keepalive_timeout = absl::Seconds(10);
};

struct CallOptions {
  // From the start of the call. Unset: BackendClientOptions::deadline.
  std::optional<absl::Duration> deadline = {};
  // Waits, up to the deadline, for a node that cannot be reached at this moment.
  bool wait_for_ready = false;
};

// What an application service uses to talk to wsrouter: every call of Router and Admin, and the
// streams of Events. What each call means and which errors it has stands in router.proto.
//
// All methods may be called from any thread, also at the same time, and from handlers of streams.
// Calls block until the answer or the deadline; nothing is retried. An error is a status with the
// code and the message of the node; wsrouter/error.h gets the reason and the retry delay out of it.
class BackendClient {
 public:
  explicit BackendClient(BackendClientOptions options);
  // Over a channel of the caller's; target, credentials and keepalive of the options do not count.
  BackendClient(std::shared_ptr<grpc::Channel> channel, BackendClientOptions options);
  BackendClient(const BackendClient&) = delete;
  BackendClient& operator=(const BackendClient&) = delete;
  ~BackendClient();

  // ---- who a connection is, and where it belongs
  absl::StatusOr<v1::OwnResponse> Own(const OwnRequest& request, const CallOptions& options = {});
  // Without `close` the connections stay open, unowned.
  absl::StatusOr<v1::ReleaseResponse> Release(const Member& who,
                                              const std::optional<CloseReason>& close = {},
                                              const CallOptions& options = {});
  absl::StatusOr<v1::JoinResponse> Join(const Member& who, const std::vector<std::string>& rooms,
                                        const CallOptions& options = {});
  absl::StatusOr<v1::LeaveResponse> Leave(const Member& who, const std::vector<std::string>& rooms,
                                          const CallOptions& options = {});
  absl::StatusOr<v1::DisconnectResponse> Disconnect(const Target& whom,
                                                    const CloseReason& close = {},
                                                    const CallOptions& options = {});

  // ---- what it gets
  absl::StatusOr<v1::PushResponse> Push(const PushRequest& request,
                                        const CallOptions& options = {});
  absl::StatusOr<v1::PushAllResponse> PushAll(const PushAllRequest& request,
                                              const CallOptions& options = {});
  absl::StatusOr<v1::SendToClientResponse> SendToClient(const SendToClientRequest& request,
                                                        const CallOptions& options = {});
  absl::StatusOr<v1::SendToConnectionResponse> SendToConnection(
      const SendToConnectionRequest& request, const CallOptions& options = {});
  absl::StatusOr<v1::BroadcastResponse> Broadcast(const std::string& channel,
                                                  const Payload& payload,
                                                  const CallOptions& options = {});

  // ---- what rooms were sent
  absl::StatusOr<v1::HistoryResponse> History(const v1::HistoryRequest& request,
                                              const CallOptions& options = {});
  absl::StatusOr<v1::TrimHistoryResponse> TrimHistory(const v1::TrimHistoryRequest& request,
                                                      const CallOptions& options = {});

  // ---- who is there
  absl::StatusOr<v1::IsMemberResponse> IsMember(const std::string& room, const Member& who,
                                                const CallOptions& options = {});
  absl::StatusOr<v1::RoomSizeResponse> RoomSize(const std::string& room,
                                                const CallOptions& options = {});
  absl::StatusOr<v1::MembersResponse> Members(const v1::MembersRequest& request,
                                              const CallOptions& options = {});
  absl::StatusOr<v1::RoomsResponse> Rooms(const v1::RoomsRequest& request,
                                          const CallOptions& options = {});
  absl::StatusOr<v1::OnlineCountResponse> OnlineCount(const CallOptions& options = {});
  absl::StatusOr<v1::OnlineByServerResponse> OnlineByServer(const CallOptions& options = {});
  absl::StatusOr<v1::GetClientResponse> GetClient(const std::string& client_id,
                                                  const CallOptions& options = {});
  absl::StatusOr<v1::ConnectionsResponse> Connections(const v1::ConnectionsRequest& request,
                                                      const CallOptions& options = {});

  // ---- nodes
  absl::StatusOr<v1::StatsResponse> Stats(const CallOptions& options = {});
  absl::StatusOr<v1::NodesResponse> Nodes(const CallOptions& options = {});
  absl::StatusOr<v1::RunStaleServerGCResponse> RunStaleServerGC(const CallOptions& options = {});
  absl::StatusOr<v1::GetConfigResponse> GetConfig(const CallOptions& options = {});
  // Without `window` the node's own.
  absl::StatusOr<v1::DrainResponse> Drain(std::optional<absl::Duration> window = {},
                                          const CallOptions& options = {});
  absl::StatusOr<v1::UndrainResponse> Undrain(const CallOptions& options = {});

  // ---- what happens, until the EventStream is stopped or destroyed
  [[nodiscard]] std::unique_ptr<EventStream> Watch(WatchRequest request, WatchHandlers handlers);
  [[nodiscard]] std::unique_ptr<EventStream> Subscribe(std::vector<std::string> channels,
                                                       SubscribeHandlers handlers);
  // Takes part in a consumer group of the event log, at least once. Lost, it is opened again; what
  // was in hand then comes again.
  [[nodiscard]] std::unique_ptr<EventStream> Consume(ConsumeRequest request,
                                                     ConsumeHandlers handlers);

 private:
  class Stubs;

  const std::shared_ptr<const Stubs> stubs_;  // shared with the streams
};

}  // namespace wsrouter::client

#endif  // WSROUTER_CLIENT_BACKEND_CLIENT_H_
