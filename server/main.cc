// wsrouter: one node of the WebSocket routing service.

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "base/strings.h"
#include "config.h"
#include "config_reload.h"
#include "config_value.h"
#include "fmt/format.h"
#include "node.h"
#include "node_options.h"

namespace wsrouter {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kStopped = SIGUSR1;  // from one of our threads to another

constexpr std::string_view kHelp = R"(wsrouter: one node of the WebSocket routing service

  --config FILE          read the configuration from a YAML file
  --set section.key=VAL  set one key; may be repeated, overrides the file and the environment
  --check-config         print the configuration that applies, and exit
  --version              print the version, and exit
  --help                 print this, and exit

The environment (WSROUTER_SECTION_KEY) overrides the file. SIGHUP reads all of it again.
Exit codes: 0 after SIGTERM or SIGINT, 1 when the node cannot start, 2 when arguments or
configuration are wrong.
)";

struct Arguments {
  std::string config_file;
  std::vector<std::string> settings;
  bool check_config = false;
  bool version = false;
  bool help = false;
};

int Complain(int code, std::string_view message) {
  fmt::print(stderr, "wsrouter: {}\n", message);
  return code;
}

// "--name VALUE" or "--name=VALUE". False when `argument` is another one.
bool TakeValue(std::string_view name, const std::vector<std::string>& arguments, size_t& at,
               std::string& value, std::string& error) {
  const std::string& argument = arguments[at];
  if (argument == name) {
    if (at + 1 == arguments.size()) {
      error = fmt::format("{}: wanted a value behind it", name);
    } else {
      value = arguments[++at];
    }
    return true;
  }
  if (!argument.starts_with(fmt::format("{}=", name))) return false;
  value = argument.substr(name.size() + 1);
  return true;
}

// What is wrong with the arguments; empty: nothing.
std::string Parse(const std::vector<std::string>& arguments, Arguments& parsed) {
  std::string error;
  for (size_t i = 0; i < arguments.size() && error.empty(); ++i) {
    std::string value;
    if (TakeValue("--config", arguments, i, value, error)) {
      parsed.config_file = std::move(value);
    } else if (TakeValue("--set", arguments, i, value, error)) {
      parsed.settings.push_back(std::move(value));
    } else if (arguments[i] == "--check-config") {
      parsed.check_config = true;
    } else if (arguments[i] == "--version") {
      parsed.version = true;
    } else if (arguments[i] == "--help") {
      parsed.help = true;
    } else {
      return fmt::format("{}: unknown argument; see --help", arguments[i]);
    }
  }
  return error;
}

absl::StatusOr<v1::Config> Load(const Arguments& arguments) {
  ConfigSources sources{.settings = arguments.settings};
  if (!arguments.config_file.empty()) {
    absl::StatusOr<ConfigSources::File> file = ReadConfigFile(arguments.config_file);
    if (!file.ok()) return file.status();
    sources.file = *std::move(file);
  }
  for (char** variable = environ; *variable != nullptr; ++variable) {
    sources.environment.emplace_back(*variable);
  }
  std::array<char, 256> hostname{};
  (void)gethostname(hostname.data(), hostname.size() - 1);  // an empty name does as well
  sources.default_server_id = DefaultServerId(hostname.data(), getpid());
  return LoadConfig(sources);
}

// One descriptor a connection. Not all that a container may have (often 2^30): libwebsockets keeps
// a table with a place for each possible descriptor in every shard. So a larger limit is lowered.
void SetDescriptorLimit(uint64_t connections_max) {
  constexpr uint64_t kEnough = 1 << 20;
  constexpr uint64_t kReserve = 1024;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const uint64_t enough = connections_max > 0 ? connections_max + kReserve : kEnough;
  limit.rlim_cur = std::min<uint64_t>(limit.rlim_max, enough);
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    Log(LogLevel::kWarning, "descriptor_limit", {{"wanted", enough}, {"errno", errno}});
  }
}

// Before any thread starts, so that all of them inherit it: signals come to Wait and nowhere else,
// and a peer that is gone is an error of the call that finds out.
sigset_t BlockSignals() {
  sigset_t blocked;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGPIPE);
  sigaddset(&blocked, SIGHUP);  // heeded while the node serves
  sigaddset(&blocked, kStopped);
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
  sigset_t stops;
  sigemptyset(&stops);
  sigaddset(&stops, SIGINT);
  sigaddset(&stops, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &stops, nullptr);
  return stops;
}

// The signal that came; 0 when `timeout` passed before.
int Wait(const sigset_t& signals, absl::Duration timeout) {
  const timespec time = absl::ToTimespec(timeout);
  for (;;) {
    const int signal = timeout == absl::InfiniteDuration() ? sigwaitinfo(&signals, nullptr)
                                                           : sigtimedwait(&signals, nullptr, &time);
    if (signal > 0) return signal;
    if (errno == EAGAIN) return 0;
  }
}

// Stops the node, and hastens that when another signal comes meanwhile.
void StopHeeding(Node& node, const sigset_t& stops, absl::Duration deadline,
                 absl::Duration window) {
  sigset_t heeded = stops;
  sigaddset(&heeded, kStopped);
  std::thread heeds([&] {
    while (Wait(heeded, absl::InfiniteDuration()) != kStopped) node.Hurry();
  });
  node.Stop(deadline, window);
  pthread_kill(heeds.native_handle(), kStopped);
  heeds.join();
}

// SIGINT is a person who does not want to wait: no notice is given then, and nothing is spread. Nor
// after a second signal.
void StopNode(Node& node, int signal, const sigset_t& stops, const v1::DrainConfig& drain) {
  const absl::Duration notice =
      signal == SIGINT ? absl::ZeroDuration() : ToDuration(drain.notice());
  node.Retire();
  Log(LogLevel::kInfo, "stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  const bool hasty =
      signal == SIGINT || (notice > absl::ZeroDuration() && Wait(stops, notice) != 0);
  StopHeeding(node, stops, ToDuration(drain.deadline()) - notice,
              hasty ? absl::ZeroDuration() : ToDuration(drain.window()));
  Log(LogLevel::kInfo, "stopped");
}

// What applies from now on. A configuration that is not in order changes nothing.
v1::Config Reload(const Arguments& arguments, Node& node, const v1::Config& running) {
  const absl::StatusOr<v1::Config> read = Load(arguments);
  const absl::StatusOr<ConfigReload> reload =
      read.ok() ? ReloadConfig(running, *read) : read.status();
  const absl::Status done = reload.ok() ? node.Reload(reload->config) : reload.status();
  if (!done.ok()) {
    Log(LogLevel::kError, "reload_refused", {{"message", StdView(done.message())}});
    return running;
  }
  const LogLevel level = ToLogLevel(reload->config.log().level());
  SetLogLevel(std::min(level, LogLevel::kInfo));
  Log(LogLevel::kInfo, "reloaded",
      {{"changed", reload->changed}, {"needs_restart", reload->needs_restart}});
  SetLogLevel(level);
  return reload->config;
}

// The signal that is to end the node.
int WaitForStop(const Arguments& arguments, Node& node, const sigset_t& stops, v1::Config& config) {
  sigset_t heeded = stops;
  sigaddset(&heeded, SIGHUP);
  for (;;) {
    const int signal = Wait(heeded, absl::InfiniteDuration());
    if (signal != SIGHUP) return signal;
    config = Reload(arguments, node, config);
  }
}

int Serve(const Arguments& arguments, v1::Config config) {
  const sigset_t stops = BlockSignals();
  const LogThread log_thread;
  // What a start has to say is written in any case; a higher level applies behind it.
  const LogLevel level = ToLogLevel(config.log().level());
  SetLogLevel(std::min(level, LogLevel::kInfo));
  SetDescriptorLimit(config.gateway().connections_max());
  absl::StatusOr<std::unique_ptr<Node>> node = Node::Start(config, WSROUTER_VERSION);
  if (!node.ok()) return Complain(kExitFailed, StdView(node.status().message()));
  Log(LogLevel::kInfo, "listening",
      {{"server_id", config.node().server_id()},
       {"version", WSROUTER_VERSION},
       {"gateway", (*node)->gateway_addresses()},
       {"control", (*node)->control_address()},
       {"admin", (*node)->admin_address()}});
  SetLogLevel(level);
  const int signal = WaitForStop(arguments, **node, stops, config);
  StopNode(**node, signal, stops, config.drain());
  return 0;
}

int Run(const std::vector<std::string>& words) {
  Arguments arguments;
  const std::string error = Parse(words, arguments);
  if (!error.empty()) return Complain(kExitUsage, error);
  if (arguments.help || arguments.version) {
    fmt::print("{}", arguments.help ? kHelp : "wsrouter " WSROUTER_VERSION "\n");
    return 0;
  }
  const absl::StatusOr<v1::Config> config = Load(arguments);
  if (!config.ok()) return Complain(kExitUsage, StdView(config.status().message()));
  if (arguments.check_config) {
    fmt::print("{}", EffectiveConfig(*config));
    return 0;
  }
  return Serve(arguments, *config);
}

}  // namespace
}  // namespace wsrouter

int main(int argc, char** argv) { return wsrouter::Run({argv + 1, argv + argc}); }
