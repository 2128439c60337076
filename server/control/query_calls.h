#ifndef WSROUTER_CONTROL_QUERY_CALLS_H_
#define WSROUTER_CONTROL_QUERY_CALLS_H_

#include "control/answer.h"
#include "core/broker.h"
#include "core/directory.h"
#include "wsrouter/v1/router.pb.h"

namespace wsrouter {

// The Router's calls that ask. What concerns the cluster is the directory's to answer; what only
// the holder of a connection knows is asked of the shards.
//
// Any thread.
class QueryCalls {
 public:
  QueryCalls(Broker& broker, Directory& directory, NodeIdentity node)
      : broker_(broker), directory_(directory), node_(std::move(node)) {}

  void IsMember(const v1::IsMemberRequest& request, Answer<v1::IsMemberResponse> answer);
  void RoomSize(const v1::RoomSizeRequest& request, Answer<v1::RoomSizeResponse> answer);
  void Members(const v1::MembersRequest& request, Answer<v1::MembersResponse> answer);
  void Rooms(const v1::RoomsRequest& request, Answer<v1::RoomsResponse> answer);
  void OnlineCount(const v1::OnlineCountRequest& request, Answer<v1::OnlineCountResponse> answer);
  void OnlineByServer(const v1::OnlineByServerRequest& request,
                      Answer<v1::OnlineByServerResponse> answer);
  void GetClient(const v1::GetClientRequest& request, Answer<v1::GetClientResponse> answer);
  void Connections(const v1::ConnectionsRequest& request, Answer<v1::ConnectionsResponse> answer);

 private:
  void IsConnectionMember(const RoomName& room, ConnectionId connection,
                          Answer<v1::IsMemberResponse> answer);

  Broker& broker_;
  Directory& directory_;
  const NodeIdentity node_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_QUERY_CALLS_H_
