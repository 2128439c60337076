#include "control/router_service.h"

#include <utility>

namespace wsrouter {

RouterService::RouterService(AccessCheck& access, Broker& broker, Directory& directory,
                             wsrouter::History& history, Counters& counters, const Clock& clock,
                             NodeIdentity node, size_t payload_bytes_max)
    : RawService(access),
      membership_(broker, clock),
      push_(broker, counters, payload_bytes_max),
      query_(broker, directory, std::move(node)),
      history_(history) {
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
