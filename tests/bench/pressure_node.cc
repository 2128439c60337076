#include "tests/bench/pressure_node.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/log.h"
#include "config.h"
#include "node.h"
#include "tests/bench/readers.h"

namespace wsrouter {
namespace {

uint16_t PortOf(const std::string& address) {
  return static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
}

void RunNode(int ready, std::vector<std::string> settings, uint64_t descriptors) {
  if (descriptors > 0) {
    const rlimit limit = {.rlim_cur = descriptors, .rlim_max = descriptors};
    Check(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit");
  }
  for (const char* always : {"gateway.listen=127.0.0.1:0", "control.listen=127.0.0.1:0",
                             "admin.listen=127.0.0.1:0", "node.shards=1"}) {
    settings.emplace_back(always);
  }
  const auto config = LoadConfig({.settings = settings, .default_server_id = "bench"});
  Check(config.ok(), std::string(config.status().message()));
  SetLogLevel(LogLevel::kError);
  const auto node = Node::Start(*config, "bench");
  Check(node.ok(), std::string(node.status().message()));
  const NodePorts ports = {.gateway = PortOf((*node)->gateway_addresses().front()),
                           .control = PortOf((*node)->control_address()),
                           .admin = PortOf((*node)->admin_address())};
  Check(write(ready, &ports, sizeof(ports)) == sizeof(ports), "nobody waits for the node");
  for (;;) pause();
}

}  // namespace

void Check(bool fine, const std::string& what) {
  if (fine) return;
  fprintf(stderr, "%s\n", what.c_str());
  _exit(1);
}

void SayReady(int ready) { Check(write(ready, "r", 1) == 1, "nobody waits for the child"); }

Child::Child(int core, const std::function<void(int ready)>& body) {
  int ends[2];
  Check(pipe2(ends, O_CLOEXEC) == 0, "pipe");
  fflush(stdout);
  pid_ = fork();
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    PinTo(core);
    body(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  from_ = ends[0];
}

Child::~Child() {
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  close(from_);
}

void Child::Read(void* into, size_t size) const {
  for (size_t got = 0; got < size;) {
    const ssize_t more = read(from_, static_cast<char*>(into) + got, size - got);
    Check(more > 0, "a process of the benchmark has ended");
    got += static_cast<size_t>(more);
  }
}

bool Child::Readable(int milliseconds) const {
  pollfd wanted = {.fd = from_, .events = POLLIN, .revents = 0};
  return poll(&wanted, 1, milliseconds) > 0;
}

NodeProcess::NodeProcess(const std::vector<std::string>& settings, uint64_t descriptors)
    : child_(0, [&](int ready) { RunNode(ready, settings, descriptors); }) {
  child_.Read(&ports_, sizeof(ports_));
}

uint64_t NodeProcess::ResidentBytes() const {
  std::ifstream file("/proc/" + std::to_string(child_.pid()) + "/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

double NodeProcess::CpuSeconds() const {
  std::ifstream file("/proc/" + std::to_string(child_.pid()) + "/stat");
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(text.rfind(')') + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  double user = 0;
  double system = 0;
  fields >> user >> system;
  return (user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

double NodeProcess::Metric(const std::string& name) const {
  const int fd = ConnectTo(ports_.admin, false);
  const std::string request = "GET /metrics HTTP/1.0\r\n\r\n";
  Check(send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0, "no /metrics");
  std::string text;
  char piece[65536];
  for (ssize_t got = 0; (got = recv(fd, piece, sizeof(piece), 0)) > 0;) {
    text.append(piece, static_cast<size_t>(got));
  }
  close(fd);
  const size_t at = text.find("\nwsrouter_" + name + " ");
  Check(at != std::string::npos, "no metric " + name);
  return std::stod(text.substr(text.find(' ', at)));
}

}  // namespace wsrouter
