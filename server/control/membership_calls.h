#ifndef WSROUTER_CONTROL_MEMBERSHIP_CALLS_H_
#define WSROUTER_CONTROL_MEMBERSHIP_CALLS_H_

#include "base/clock.h"
#include "control/answer.h"
#include "core/broker.h"
#include "wsrouter/v1/router.pb.h"

namespace wsrouter {

// The Router's calls that say who a connection is, where it belongs, and when it ends: each is
// checked, published as an envelope, and answered with what the shards say became of it.
//
// Any thread.
class MembershipCalls {
 public:
  MembershipCalls(Broker& broker, const Clock& clock) : broker_(broker), clock_(clock) {}

  void Own(const v1::OwnRequest& request, Answer<v1::OwnResponse> answer);
  void Release(const v1::ReleaseRequest& request, Answer<v1::ReleaseResponse> answer);
  void Join(const v1::JoinRequest& request, Answer<v1::JoinResponse> answer);
  void Leave(const v1::LeaveRequest& request, Answer<v1::LeaveResponse> answer);
  void Disconnect(const v1::DisconnectRequest& request, Answer<v1::DisconnectResponse> answer);

 private:
  Broker& broker_;
  const Clock& clock_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_MEMBERSHIP_CALLS_H_
