#ifndef WSROUTER_TESTS_SUPPORT_RECOVERING_CLIENT_H_
#define WSROUTER_TESTS_SUPPORT_RECOVERING_CLIENT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/keep.h"
#include "tests/support/raw_client.h"

namespace wsrouter {

// A client of one room with history, over as many connections as it takes. On each it offers the
// token of its last welcome and asks for what came behind the last message that it has. Messages
// that come twice, out of order, before the answer to its Join, or behind a hole fail the test.
class RecoveringClient {
 public:
  RecoveringClient(std::string name, std::string room)
      : name_(std::move(name)), room_(std::move(room)) {}

  // Opens a connection and sends the Join. False when it ended before.
  bool Connect(const std::string& address);
  // Until it has the message with that offset. False when the connection ended before.
  bool HearTo(uint64_t offset);
  // The next frame. False when the connection has ended.
  bool Hear();
  bool Send(std::string_view frame) { return socket_.has_value() && socket_->Send(frame); }
  void Reset() { socket_->Reset(); }

  const std::vector<std::string>& texts() const { return texts_; }
  const Position& at() const { return at_; }
  int resumes() const { return resumes_; }
  int joins() const { return joins_; }
  int losses() const { return losses_; }  // gaps, and positions that history did not have
  bool left() const { return left_; }

 private:
  const std::string name_;
  const std::string room_;
  std::optional<RawClient> socket_;
  std::string token_;
  bool joined_ = false;  // on this connection
  Position at_;
  std::vector<std::string> texts_;
  int resumes_ = 0;
  int joins_ = 0;
  int losses_ = 0;
  bool left_ = false;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_RECOVERING_CLIENT_H_
