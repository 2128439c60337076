#ifndef WSROUTER_CONTROL_LOG_CALLS_H_
#define WSROUTER_CONTROL_LOG_CALLS_H_

#include "control/answer.h"
#include "core/event_log.h"
#include "wsrouter/v1/events.pb.h"

namespace wsrouter {

// What Events has about the groups of the event log and their dead letters. Any thread.
class LogCalls {
 public:
  explicit LogCalls(EventLog& log) : log_(log) {}

  void ConsumerGroups(const v1::ConsumerGroupsRequest& request,
                      Answer<v1::ConsumerGroupsResponse> answer);
  void DeleteGroup(const v1::DeleteGroupRequest& request, Answer<v1::DeleteGroupResponse> answer);
  void DeadLetters(const v1::DeadLettersRequest& request, Answer<v1::DeadLettersResponse> answer);
  void RequeueDeadLetters(const v1::RequeueDeadLettersRequest& request,
                          Answer<v1::RequeueDeadLettersResponse> answer);
  void DropDeadLetters(const v1::DropDeadLettersRequest& request,
                       Answer<v1::DropDeadLettersResponse> answer);

 private:
  EventLog& log_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_LOG_CALLS_H_
