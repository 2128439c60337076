#include "control/router_service.h"

#include "control/attach_stream.h"

namespace wsrouter {

RouterService::RouterService(AccessCheck& access, const Parts& parts, const Limits& limits)
    : RawService(access),
      membership_(parts.broker, parts.clock),
      push_(parts.broker, parts.counters, limits.payload_bytes_max),
      push_streams_(push_, parts.measures, limits.request_bytes_max, limits.push_streams_max),
      query_(parts.broker, parts.directory, parts.node),
      history_(parts.history) {
  Bind("Own", membership_, &MembershipCalls::Own);
  Bind("Release", membership_, &MembershipCalls::Release);
  Bind("Join", membership_, &MembershipCalls::Join);
  Bind("Leave", membership_, &MembershipCalls::Leave);
  Bind("Disconnect", membership_, &MembershipCalls::Disconnect);
  Bind("Push", push_, &PushCalls::Push);
  Bind("SendToClient", push_, &PushCalls::SendToClient);
  Bind("SendToConnection", push_, &PushCalls::SendToConnection);
  Bind("Broadcast", push_, &PushCalls::Broadcast);
  Bind("PushAll", push_, &PushCalls::PushAll);
  BindBidi(
      "PushStream",
      [this](grpc::CallbackServerContext* context) {
        return push_streams_.Open(*context, StandingOf(*context, "PushStream"), ChargeOf(*context));
      },
      RefusedAttach);
  Bind("IsMember", query_, &QueryCalls::IsMember);
  Bind("RoomSize", query_, &QueryCalls::RoomSize);
  Bind("Members", query_, &QueryCalls::Members);
  Bind("Rooms", query_, &QueryCalls::Rooms);
  Bind("OnlineCount", query_, &QueryCalls::OnlineCount);
  Bind("OnlineByServer", query_, &QueryCalls::OnlineByServer);
  Bind("GetClient", query_, &QueryCalls::GetClient);
  Bind("Connections", query_, &QueryCalls::Connections);
  Bind("History", history_, &HistoryCalls::Read);
  Bind("TrimHistory", history_, &HistoryCalls::Trim);
}

}  // namespace wsrouter
