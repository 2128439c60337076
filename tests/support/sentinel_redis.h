#ifndef WSROUTER_TESTS_SUPPORT_SENTINEL_REDIS_H_
#define WSROUTER_TESTS_SUPPORT_SENTINEL_REDIS_H_

#include <memory>
#include <string>
#include <vector>

#include "engine/redis_address.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/eventually.h"
#include "tests/support/private_redis.h"

namespace wsrouter {

// A master with a replica, and three Sentinels that know both and each other and want a password.
class SentinelRedis {
 public:
  static constexpr absl::Duration kFailover = absl::Seconds(40);  // at most
  static constexpr char kPassword[] = "of-the-sentinels";

  SentinelRedis() {
    const std::string watched = fmt::format(
        "sentinel monitor main 127.0.0.1 {} 2\nsentinel down-after-milliseconds main 500\n"
        "sentinel failover-timeout main 3000\nrequirepass {}\nsentinel sentinel-pass {}\n",
        master_.port(), kPassword, kPassword);
    for (int i = 0; i < 3; ++i) {
      sentinels_.push_back(std::make_unique<PrivateRedis>(PrivateRedis::Sentinel{watched}));
    }
    for (const auto& sentinel : sentinels_) {
      EXPECT_TRUE(Eventually(
          [&] {
            const std::string master = sentinel->Run({"SENTINEL", "MASTER", "main"}, {kPassword});
            return master.find("num-slaves\n1\n") != std::string::npos &&
                   master.find("num-other-sentinels\n2\n") != std::string::npos;
          },
          kFailover));
    }
    EXPECT_TRUE(Eventually(
        [&] {
          return replica_.Run({"INFO", "replication"}).find("link_status:up") != std::string::npos;
        },
        kFailover));
  }

  RedisAddress address() const {
    RedisAddress address;
    for (const auto& sentinel : sentinels_) {
      address.sentinels.push_back({"127.0.0.1", sentinel->port()});
    }
    address.master = "main";
    address.sentinel_password = kPassword;
    return address;
  }
  PrivateRedis& master() { return master_; }
  PrivateRedis& replica() { return replica_; }
  PrivateRedis& sentinel(size_t index) { return *sentinels_[index]; }

 private:
  PrivateRedis master_;
  PrivateRedis replica_{
      std::vector<std::string>{"--replicaof", "127.0.0.1", std::to_string(master_.port())}};
  std::vector<std::unique_ptr<PrivateRedis>> sentinels_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_SENTINEL_REDIS_H_
