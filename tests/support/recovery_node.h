#ifndef WSROUTER_TESTS_SUPPORT_RECOVERY_NODE_H_
#define WSROUTER_TESTS_SUPPORT_RECOVERY_NODE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/backend.h"
#include "core/measures.h"
#include "core/stats.h"
#include "engine/engine.h"
#include "engine/redis_address.h"
#include "gateway/gateway.h"
#include "tests/support/cluster_node.h"

namespace wsrouter {

// Lets everybody in, as who the query says, and everybody join everything.
class OpenDoor final : public Backend {
 public:
  bool Decides(std::string_view) const override { return true; }
  Ticket Connect(ConnectQuestion question,
                 absl::AnyInvocable<void(ConnectAnswer) &&> done) override;
  bool Hears(std::string_view) const override { return false; }
  Ticket Message(MessageQuestion, absl::AnyInvocable<void(MessageAnswer) &&>) override { return 0; }
  bool ChecksJoins(std::string_view) const override { return false; }
  Ticket JoinCheck(JoinQuestion, absl::AnyInvocable<void(absl::Status) &&>) override { return 0; }
  void Cancel(Ticket) override {}
  void Disconnected(const Event&, const Handshake&) override {}
};

// A node whose clients speak wsrouter.v1.json and whose rooms keep their last 10,000 pushes: an
// engine and a gateway on a port of the loopback address.
class RecoveryNode {
 public:
  // Without an address: on the memory engine.
  RecoveryNode(const std::string& server_id, const std::optional<RedisAddress>& redis);
  ~RecoveryNode();

  const std::string& address() const { return gateway_->addresses()[0]; }
  uint16_t port() const;
  bool up() const { return up_(); }
  // Nothing is given back.
  void Crash() { engine_->Stop(absl::ZeroDuration()); }
  void Publish(const std::string& room, std::string_view text, ReceiptSum::Done done);
  Receipt Push(const std::string& room, std::string_view text);
  uint64_t Total(Counter counter) const { return stats_.Total(counter); }

 private:
  const SystemClock clock_;
  Stats stats_;
  Measures measures_;
  SharedEvents events_;
  OpenDoor door_;
  std::function<bool()> up_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Gateway> gateway_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_RECOVERY_NODE_H_
