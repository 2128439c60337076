#ifndef WSROUTER_CONTROL_TRACE_CONTEXT_H_
#define WSROUTER_CONTROL_TRACE_CONTEXT_H_

#include <string>
#include <string_view>

#include "grpcpp/server_context.h"

namespace wsrouter {

// Which trace a call belongs to, and which span of it made the call (W3C Trace Context). Both are
// empty where nobody said.
struct TraceContext {
  std::string trace_id;  // 32 hexadecimal digits
  std::string span_id;   // 16
};

// Of the value of a `traceparent`. One that is not in order is ignored, as the standard wants it.
TraceContext ParseTraceparent(std::string_view text);

// Of the metadata of a call; several traceparents are as good as none.
TraceContext TraceOf(const grpc::ServerContextBase& context);

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_TRACE_CONTEXT_H_
