#ifndef WSROUTER_CONTROL_LIBRARY_LOGS_H_
#define WSROUTER_CONTROL_LIBRARY_LOGS_H_

namespace wsrouter {

// Makes gRPC log through base/log.h, its errors only and a few a second, and protobuf not at all:
// what protobuf has to say of a bad request is said to the caller. For the whole process; before
// the first server.
void RedirectLibraryLogs();

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_LIBRARY_LOGS_H_
