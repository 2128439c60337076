#ifndef WSROUTER_TESTS_SUPPORT_BACKEND_NODE_H_
#define WSROUTER_TESTS_SUPPORT_BACKEND_NODE_H_

#include <memory>
#include <utility>

#include "base/clock.h"
#include "control/backend_routes.h"
#include "core/counters.h"
#include "gtest/gtest.h"
#include "tests/support/backend_asker.h"
#include "tests/support/backend_services.h"
#include "tests/support/control_node.h"

namespace wsrouter {

// How a service is asked.
enum class Way { kDialled, kAttached };

// A backend with the control server to which services attach.
class BackendHost {
 public:
  explicit BackendHost(BackendOptions options, uint32_t attached_max = 64) {
    auto made = BackendRoutes::Create(std::move(options), *counters_, *measures_, clock_);
    EXPECT_TRUE(made.ok()) << made.status();
    backend_ = *std::move(made);
    control_ = std::make_unique<ControlNode>(Limits(), ControlOptions{.attached_max = attached_max},
                                             65536, backend_.get());
  }
  // As a node ends.
  ~BackendHost() {
    backend_->Stop(absl::ZeroDuration());
    control_ = nullptr;
  }

  BackendRoutes& backend() { return *backend_; }
  ControlNode& control() { return *control_; }
  uint64_t Total(Counter counter) const { return counters_->Get(counter); }
  const ControlMeasures& measures() const { return *measures_; }

 private:
  const SystemClock clock_;
  // On the heap: AddressSanitizer's stack of locals does not keep the alignment that they ask for.
  const std::unique_ptr<Counters> counters_ = std::make_unique<Counters>();
  const std::unique_ptr<ControlMeasures> measures_ = std::make_unique<ControlMeasures>(
      std::vector<std::string>{}, BackendMethodNames());
  std::unique_ptr<BackendRoutes> backend_;
  std::unique_ptr<ControlNode> control_;
};

// A backend with one service that decides about /ws, and somebody who asks.
class BackendNode {
 public:
  BackendNode(Way way, BackendHandlers handlers, BackendOptions options,
              v1::Attachment attachment = {}) {
    if (options.routes.empty()) options.routes = {{.prefix = "/ws", .target = ""}};
    if (way == Way::kDialled) {
      auto service = std::make_unique<DialledTestService>(std::move(handlers));
      options.routes[0].target = service->address();
      service_ = std::move(service);
    }
    host_ = std::make_unique<BackendHost>(std::move(options));
    if (way == Way::kAttached) {
      service_ = std::make_unique<AttachedTestService>(
          std::move(handlers), host_->control().channel, std::move(attachment));
    }
    asker_ = std::make_unique<BackendAsker>(host_->backend());
  }

  TestService& service() { return *service_; }
  BackendRoutes& backend() { return host_->backend(); }
  BackendAsker& asker() { return *asker_; }
  uint64_t Total(Counter counter) const { return host_->Total(counter); }
  const ControlMeasures& measures() const { return host_->measures(); }

 private:
  std::unique_ptr<TestService> service_;
  std::unique_ptr<BackendHost> host_;
  std::unique_ptr<BackendAsker> asker_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_BACKEND_NODE_H_
