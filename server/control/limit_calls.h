#ifndef WSROUTER_CONTROL_LIMIT_CALLS_H_
#define WSROUTER_CONTROL_LIMIT_CALLS_H_

#include "control/answer.h"
#include "core/rate_limits.h"
#include "wsrouter/v1/router.pb.h"

namespace wsrouter {

// The Admin service's calls about rate limits. Any thread.
class LimitCalls {
 public:
  explicit LimitCalls(RateLimits& rates) : rates_(rates) {}

  void SetRoomRateLimit(const v1::SetRoomRateLimitRequest& request,
                        Answer<v1::SetRoomRateLimitResponse> answer);
  void SetClientRateLimit(const v1::SetClientRateLimitRequest& request,
                          Answer<v1::SetClientRateLimitResponse> answer);
  void GetLimits(const v1::GetLimitsRequest& request, Answer<v1::GetLimitsResponse> answer);

 private:
  RateLimits& rates_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_LIMIT_CALLS_H_
