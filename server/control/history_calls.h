#ifndef WSROUTER_CONTROL_HISTORY_CALLS_H_
#define WSROUTER_CONTROL_HISTORY_CALLS_H_

#include "control/answer.h"
#include "core/history.h"
#include "wsrouter/v1/router.pb.h"

namespace wsrouter {

// The Router's calls about what rooms were sent. Any thread.
class HistoryCalls {
 public:
  explicit HistoryCalls(History& history) : history_(history) {}

  void Read(const v1::HistoryRequest& request, Answer<v1::HistoryResponse> answer);
  void Trim(const v1::TrimHistoryRequest& request, Answer<v1::TrimHistoryResponse> answer);

 private:
  History& history_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_HISTORY_CALLS_H_
