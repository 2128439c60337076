#ifndef WSROUTER_TESTS_SUPPORT_SENT_STREAM_H_
#define WSROUTER_TESTS_SUPPORT_SENT_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace wsrouter {

// A payload that shows the order of pushes: its number, filled up to `size` octets. It is no
// UTF-8, so no client can have made an echo path repeat it as text.
std::string NumberedPayload(uint64_t number, size_t size);

// Aborts unless `sent`, all that a connection was sent, is an HTTP answer and, behind a 101, frames
// as a server may send them: numbered payloads in ascending order, nothing behind a Close. The last
// frame may be cut, unless the connection `ended_well`: then a Close comes last.
void CheckSentStream(std::string_view sent, bool ended_well);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_SENT_STREAM_H_
