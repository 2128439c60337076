#ifndef WSROUTER_TESTS_SUPPORT_PRIVATE_REDIS_H_
#define WSROUTER_TESTS_SUPPORT_PRIVATE_REDIS_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace wsrouter {

// A redis-server of the test's own, on a Unix socket in a folder of its own and on a port of the
// loopback address, with nothing on disk. It ends with the object, and with the thread that
// started it. Where it cannot be started the test fails.
class PrivateRedis {
 public:
  // `arguments` go to redis-server behind ours: {"--requirepass", "x"}.
  explicit PrivateRedis(std::vector<std::string> arguments = {});
  // A Redis Sentinel with this configuration.
  struct Sentinel {
    std::string configuration;
  };
  explicit PrivateRedis(Sentinel sentinel);
  // A server that can become one of a Redis Cluster (private_redis_cluster.h). What it knows of the
  // others outlives Kill.
  struct ClusterServer {
    std::vector<std::string> arguments;
  };
  explicit PrivateRedis(ClusterServer server);
  // A server whose port speaks TLS and believes clients that show this same certificate.
  struct WithTls {};
  PrivateRedis(WithTls, const std::string& cert_file, const std::string& key_file,
               bool wants_certificate = false);
  ~PrivateRedis();
  PrivateRedis(const PrivateRedis&) = delete;

  std::string url() const;      // redis+unix://...
  std::string tcp_url() const;  // redis://127.0.0.1:..., rediss:// with TLS
  const std::string& folder() const { return folder_; }
  std::string socket_path() const { return folder_ + "/redis.sock"; }
  uint16_t port() const { return port_; }
  uint16_t bus_port() const { return bus_port_; }  // 0: not a ClusterServer
  bool running() const { return pid_ > 0; }

  void Kill();   // SIGKILL
  void Start();  // after Kill; same socket and port, empty. Returns when it answers
  void Pause();  // SIGSTOP
  void Continue();

  // Runs one command over a connection of its own and waits for the answer: text as it is, numbers
  // in decimal, arrays as lines, nil as nothing, errors with "-" in front. `auth`: first AUTH
  // these.
  std::string Run(const std::vector<std::string>& words,
                  const std::vector<std::string>& auth = {}) const;

 private:
  bool Spawn();
  bool Answers() const;

  void Begin();
  std::vector<std::string> CommandLine() const;

  std::vector<std::string> arguments_;
  std::string sentinel_;  // its configuration; empty: a Redis
  std::string folder_;
  bool in_cluster_ = false;
  bool tls_ = false;
  uint16_t port_ = 0;
  uint16_t bus_port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_PRIVATE_REDIS_H_
