#ifndef WSROUTER_CONTROL_PUSH_CALLS_H_
#define WSROUTER_CONTROL_PUSH_CALLS_H_

#include <cstddef>

#include "control/answer.h"
#include "core/broker.h"
#include "core/counters.h"
#include "wsrouter/v1/router.pb.h"

namespace wsrouter {

// The Router's calls that send a payload: made into a frame once, published, and answered with
// the counts of the receipt.
//
// Any thread.
class PushCalls {
 public:
  PushCalls(Broker& broker, Counters& counters, size_t payload_bytes_max)
      : broker_(broker), counters_(counters), payload_bytes_max_(payload_bytes_max) {}

  void Push(const v1::PushRequest& request, Answer<v1::PushResponse> answer);
  void SendToClient(const v1::SendToClientRequest& request,
                    Answer<v1::SendToClientResponse> answer);
  void SendToConnection(const v1::SendToConnectionRequest& request,
                        Answer<v1::SendToConnectionResponse> answer);
  void Broadcast(const v1::BroadcastRequest& request, Answer<v1::BroadcastResponse> answer);
  void PushAll(const v1::PushAllRequest& request, Answer<v1::PushAllResponse> answer);

 private:
  Broker& broker_;
  Counters& counters_;
  const size_t payload_bytes_max_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_PUSH_CALLS_H_
