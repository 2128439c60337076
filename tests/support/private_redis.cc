#include "tests/support/private_redis.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string_view>
#include <utility>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/unique_fd.h"
#include "fmt/format.h"
#include "gtest/gtest.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kStartDeadline = absl::Seconds(20);

using Context = std::unique_ptr<redisContext, decltype(&redisFree)>;
using Reply = std::unique_ptr<redisReply, decltype(&freeReplyObject)>;

uint16_t FreePort() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* general = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd.get(), general, size) != 0 || getsockname(fd.get(), general, &size) != 0) return 0;
  return ntohs(address.sin_port);
}

std::string Printed(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return std::to_string(reply.integer);
    case REDIS_REPLY_ERROR:
      return "-" + std::string(reply.str, reply.len);
    case REDIS_REPLY_ARRAY: {
      std::string lines;
      for (size_t i = 0; i < reply.elements; ++i) lines += Printed(*reply.element[i]) + "\n";
      return lines;
    }
    default:
      return reply.str == nullptr ? "" : std::string(reply.str, reply.len);
  }
}

std::string Ask(redisContext& context, const std::vector<std::string>& words) {
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  for (const std::string& word : words) {
    texts.push_back(word.data());
    sizes.push_back(word.size());
  }
  const Reply reply(static_cast<redisReply*>(redisCommandArgv(
                        &context, static_cast<int>(words.size()), texts.data(), sizes.data())),
                    freeReplyObject);
  return reply == nullptr ? fmt::format("-no answer: {}", context.errstr) : Printed(*reply);
}

}  // namespace

PrivateRedis::PrivateRedis(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
  Begin();
}

PrivateRedis::PrivateRedis(Sentinel sentinel) : sentinel_(std::move(sentinel.configuration)) {
  Begin();
}

PrivateRedis::PrivateRedis(ClusterServer server)
    : arguments_(std::move(server.arguments)), in_cluster_(true) {
  Begin();
}

PrivateRedis::PrivateRedis(WithTls, const std::string& cert_file, const std::string& key_file,
                           bool wants_certificate)
    : arguments_({"--tls-cert-file", cert_file, "--tls-key-file", key_file, "--tls-ca-cert-file",
                  cert_file, "--tls-auth-clients", wants_certificate ? "yes" : "no"}),
      tls_(true) {
  Begin();
}

void PrivateRedis::Begin() {
  std::string pattern = (std::filesystem::temp_directory_path() / "wsrouter-redis-XXXXXX").string();
  const char* folder = mkdtemp(pattern.data());
  if (folder == nullptr) {
    ADD_FAILURE() << "no temporary folder " << pattern;
    return;
  }
  folder_ = folder;
  Start();
}

PrivateRedis::~PrivateRedis() {
  Kill();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

std::string PrivateRedis::url() const { return "redis+unix://" + socket_path(); }
std::string PrivateRedis::tcp_url() const {
  return fmt::format("{}://127.0.0.1:{}", tls_ ? "rediss" : "redis", port_);
}

void PrivateRedis::Start() {
  // Between the choice of a port and redis-server's use of it, somebody else may take it.
  for (int attempt = 0; attempt < 5; ++attempt) {
    if (port_ == 0) {
      port_ = FreePort();
      if (in_cluster_) bus_port_ = FreePort();
    }
    if (Spawn()) return;
    port_ = 0;
  }
  ADD_FAILURE() << "redis-server does not start; is it on the PATH? Its log: " << folder_ << "/log";
}

std::vector<std::string> PrivateRedis::CommandLine() const {
  if (!sentinel_.empty()) {  // which keeps what it learns in its file
    const std::string file = folder_ + "/sentinel.conf";
    std::ofstream(file) << sentinel_;
    return {
        "redis-server",        file,           "--sentinel",  "--bind", "127.0.0.1", "--port",
        std::to_string(port_), "--unixsocket", socket_path(), "--dir",  folder_,     "--logfile",
        folder_ + "/log"};
  }
  std::vector<std::string> words = {
      "redis-server",   "--bind",      "127.0.0.1", "--port",       std::to_string(port_),
      "--unixsocket",   socket_path(), "--dir",     folder_,        "--logfile",
      folder_ + "/log", "--save",      "",          "--appendonly", "no",
      "--daemonize",    "no"};
  if (in_cluster_) {
    words.insert(words.end(), {"--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf",
                               "--cluster-announce-ip", "127.0.0.1", "--cluster-port",
                               std::to_string(bus_port_)});
  }
  if (tls_) words.insert(words.end(), {"--port", "0", "--tls-port", std::to_string(port_)});
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  return words;
}

bool PrivateRedis::Spawn() {
  std::vector<std::string> words = CommandLine();
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ == 0) {
    (void)close_range(3, ~0U, 0);  // what other threads have opened ends when they close it
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  const SystemClock clock;
  const absl::Duration deadline = clock.Now().uptime + kStartDeadline;
  while (clock.Now().uptime < deadline) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = -1;
      return false;
    }
    if (Answers()) return true;
    (void)poll(nullptr, 0, 2);  // nothing tells when a socket begins to exist
  }
  Kill();
  return false;
}

bool PrivateRedis::Answers() const {
  const std::string answer = Run({"PING"});
  return answer == "PONG" || answer.starts_with("-NOAUTH") || answer.starts_with("-NOPERM");
}

void PrivateRedis::Kill() {
  if (pid_ <= 0) return;
  (void)kill(pid_, SIGKILL);
  (void)waitpid(std::exchange(pid_, -1), nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove(socket_path(), ignored);
}

void PrivateRedis::Pause() { (void)kill(pid_, SIGSTOP); }
void PrivateRedis::Continue() { (void)kill(pid_, SIGCONT); }

std::string PrivateRedis::Run(const std::vector<std::string>& words,
                              const std::vector<std::string>& auth) const {
  const Context context(redisConnectUnix(socket_path().c_str()), redisFree);
  if (context == nullptr || context->err != 0) return "-not connected";
  if (!auth.empty()) {
    std::vector<std::string> login = {"AUTH"};
    login.insert(login.end(), auth.begin(), auth.end());
    if (std::string answer = Ask(*context, login); answer != "OK") return answer;
  }
  return Ask(*context, words);
}

}  // namespace wsrouter
