#ifndef WSROUTER_GATEWAY_REQUEST_HEAD_H_
#define WSROUTER_GATEWAY_REQUEST_HEAD_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wsrouter {

inline constexpr size_t kRequestHeadBytesMax = 8192;
inline constexpr size_t kRequestHeadersMax = 100;

struct RequestHeader {
  std::string name;   // in lower case
  std::string value;  // without the white space around it; never a control character but tab
};

// The head of an HTTP/1.1 request. The target is kept as it came: nothing is percent-decoded or
// normalized, so paths are compared octet by octet.
struct RequestHead {
  // The values of all headers of that name, in order. `lower_case_name` must be in lower case.
  std::vector<std::string_view> Values(std::string_view lower_case_name) const;

  std::string method;
  std::string target;
  std::string path;
  std::string query;  // what follows the first '?', without it
  std::string host;   // of the absolute target if there is one (RFC 9112 section 3.2.2), else Host
  std::vector<RequestHeader> headers;
};

// Reads one request head, however it is cut, and refuses it at the first octet that cannot be part
// of one (RFC 9112, with nothing of its leniency towards bare CR, bare LF, folded lines or white
// space): a TLS ClientHello or random octets do not get to wait for a time limit. Each octet is
// looked at once. Bodies are not its business: it stops behind the empty line.
//
// It is wanted only until the upgrade is decided, and weighs up to 32 KiB.
class RequestHeadParser {
 public:
  enum class State { kNeedMore, kComplete, kRefused };

  // Takes octets from the front of `input`: all of them while it needs more, up to the end of the
  // head when that completes it. What is left then belongs to the WebSocket protocol. Once complete
  // or refused, it takes nothing any more.
  State Feed(std::string_view& input);

  State state() const { return state_; }
  bool started() const { return octets_ > 0; }

  // When complete.
  const RequestHead& head() const { return head_; }
  RequestHead TakeHead() { return std::move(head_); }

  // When refused: 400, 431, 501 or 505, and why, for `RefuseUpgrade`.
  int refusal_status() const { return refusal_status_; }
  std::string_view refusal_reason() const { return refusal_reason_; }

 private:
  enum class Phase : uint8_t {
    kStart,
    kEmptyLineEnd,
    kMethod,
    kTarget,
    kVersion,
    kLineStart,
    kName,
    kValue,
    kLineEnd,
    kHeadEnd,
  };

  void Step(unsigned char octet);
  void StepStart(unsigned char octet);
  void StepMethod(unsigned char octet);
  void StepTarget(unsigned char octet);
  void StepVersion(unsigned char octet);
  void StepLineStart(unsigned char octet);
  void StepName(unsigned char octet);
  void StepValue(unsigned char octet);
  void StepLineEnd(unsigned char octet);
  void EndRequestLine();
  void SplitTarget();
  void EndHead();
  void Refuse(int status, std::string_view reason);

  RequestHead head_;
  std::string version_;
  std::string_view refusal_reason_;
  size_t octets_ = 0;
  int refusal_status_ = 0;
  State state_ = State::kNeedMore;
  Phase phase_ = Phase::kStart;
  bool empty_line_seen_ = false;
};

}  // namespace wsrouter

#endif  // WSROUTER_GATEWAY_REQUEST_HEAD_H_
