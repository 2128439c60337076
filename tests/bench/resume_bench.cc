// How fast clients come back: 5,000 that resume their sessions, beside the same ones that a service
// lets in; and how fast they get what a room was sent before. At a node with one shard, by the
// memory engine and through a private Redis. The node is a process, clients and service are another
// one. See README.md beside this file.
#include <grpcpp/grpcpp.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "config.h"
#include "node.h"
#include "tests/bench/readers.h"
#include "tests/support/private_redis.h"
#include "tests/support/session_load.h"
#include "wsrouter/v1/backend.grpc.pb.h"
#include "wsrouter/v1/router.grpc.pb.h"

namespace wsrouter {
namespace {

constexpr uint32_t kClients = 5'000;
constexpr uint32_t kConnecting = 500;
constexpr int kRounds = 5;
constexpr char kReader[] = "reader";  // what the names of those begin with who read a history
constexpr char kKept[] = "kept";      // its room
constexpr uint32_t kReaders = 10;
constexpr uint32_t kHistory = 1'000;
constexpr uint32_t kReplays = 20;  // of each reader, one behind the other

void Check(bool fine, const std::string& what) {
  if (fine) return;
  fprintf(stderr, "%s\n", what.c_str());
  exit(1);
}

// Two processes that tell each other a port.
class Line {
 public:
  Line() { Check(pipe(ends_.data()) == 0, "no pipe"); }
  void Tell(int port) { Check(write(ends_[1], &port, sizeof(port)) == sizeof(port), "gone"); }
  int Hear() {
    close(ends_[1]);  // so that the other one's end is heard
    int port = 0;
    Check(read(ends_[0], &port, sizeof(port)) == sizeof(port), "gone");
    return port;
  }

 private:
  std::array<int, 2> ends_;
};

class Service final : public v1::Backend::CallbackService {
  grpc::ServerUnaryReactor* Connect(grpc::CallbackServerContext* context,
                                    const v1::ConnectRequest* request,
                                    v1::ConnectResponse* response) override {
    response->mutable_accept()->set_client_id(request->client().query());
    response->mutable_accept()->add_rooms("room" + request->client().query().substr(0, 2));
    if (request->client().query().starts_with(kReader)) {
      response->mutable_accept()->add_rooms(kKept);
    }
    grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

// Clients a second, until all are up.
double UpRate(SessionLoad& load) {
  const SystemClock clock;
  const absl::Duration begin = clock.Now().uptime;
  while (load.up() < kClients) load.RunOnce(absl::Milliseconds(100));
  return kClients / absl::ToDoubleSeconds(clock.Now().uptime - begin);
}

void RunRound(const std::string& address, std::vector<double>& connects,
              std::vector<double>& resumes) {
  uint32_t resumed = 0;
  SessionLoad load({.clients = kClients,
                    .target = [](uint32_t client) { return "/ws?" + std::to_string(client); },
                    .rooms = {},
                    .back_after_max = absl::ZeroDuration(),
                    .connecting_max = kConnecting},
                   {.on_up = [&](uint32_t, const std::string&, bool is,
                                 absl::Duration) { resumed += is ? 1 : 0; },
                    .on_down = [](uint32_t, const std::string&, SessionLoad::Loss) {},
                    .on_frame = nullptr,
                    .on_close = nullptr,
                    .on_refused =
                        [](uint32_t, int status) {
                          Check(false, "a client was refused: " + std::to_string(status));
                        }});
  load.SetNodes({address});
  connects.push_back(UpRate(load));
  load.Cut(2);
  resumes.push_back(UpRate(load));
  Check(resumed == kClients, "only " + std::to_string(resumed) + " were resumed");
  load.CloseAll();
  while (load.open() > 0) load.RunOnce(absl::Milliseconds(100));
}

// Fills the history; its epoch.
std::string PushHistory(const std::string& control) {
  const auto stub =
      v1::Router::NewStub(grpc::CreateChannel(control, grpc::InsecureChannelCredentials()));
  v1::PushRequest push;
  push.set_room(kKept);
  push.mutable_payload()->set_text(std::string(128, 'x'));
  v1::PushResponse response;
  for (uint32_t i = 0; i < kHistory; ++i) {
    grpc::ClientContext context;
    Check(stub->Push(&context, push, &response).ok(), "a push failed");
  }
  return response.rooms(0).epoch();
}

// Frames a second that come of joins with `since` at the begin of the history.
double ReplayRate(const std::string& address, const std::string& control) {
  std::vector<uint32_t> frames(kReaders);
  SessionLoad load(
      {.clients = kReaders,
       .target =
           [](uint32_t client) { return "/ws?" + std::string(kReader) + std::to_string(client); },
       .rooms = {}},
      {.on_up = [](uint32_t, const std::string&, bool, absl::Duration) {},
       .on_down = [](uint32_t, const std::string&,
                     SessionLoad::Loss) { Check(false, "a reader was closed"); },
       .on_frame =
           [&](uint32_t client, std::string_view frame) {
             if (frame.starts_with("{\"msg\"")) ++frames[client];
           },
       .on_close = nullptr,
       .on_refused = nullptr});
  load.SetNodes({address});
  while (load.up() < kReaders) load.RunOnce(absl::Milliseconds(100));
  const std::string join = R"({"join":{"id":"1","room":")" + std::string(kKept) +
                           R"(","since":{"offset":"0","epoch":")" + PushHistory(control) + "\"}}}";
  const auto all_have = [&](uint32_t count) {
    return std::ranges::all_of(frames, [count](uint32_t got) { return got >= count; });
  };
  while (!all_have(kHistory)) load.RunOnce(absl::Milliseconds(100));  // live
  const SystemClock clock;
  const absl::Duration begin = clock.Now().uptime;
  for (uint32_t round = 1; round <= kReplays; ++round) {
    for (uint32_t i = 0; i < kReaders; ++i) load.Say(i, join);
    while (!all_have((1 + round) * kHistory)) load.RunOnce(absl::Milliseconds(100));
  }
  Check(!std::ranges::any_of(frames, [](uint32_t got) { return got > (1 + kReplays) * kHistory; }),
        "a frame came twice");
  return kReaders * kReplays * kHistory / absl::ToDoubleSeconds(clock.Now().uptime - begin);
}

double Median(std::vector<double>& values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void RunClients(const char* engine, Line& to_node, Line& from_node) {
  PinTo(1);
  Service service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  to_node.Tell(port);
  const std::string address = "127.0.0.1:" + std::to_string(from_node.Hear());
  std::vector<double> connects;
  std::vector<double> resumes;
  for (int round = 0; round < kRounds; ++round) RunRound(address, connects, resumes);
  const std::string control = "127.0.0.1:" + std::to_string(from_node.Hear());
  const double replay = ReplayRate(address, control);
  const double connect = Median(connects);
  const double resume = Median(resumes);
  printf("resume  %-6s  %.0f connects a second that a service lets in, %.0f resumes (%.2f)\n",
         engine, connect, resume, resume / connect);
  printf("replay  %-6s  %.0f frames a second to %u clients\n", engine, replay, kReaders);
}

void RunNode(const std::string& redis, Line& from_clients, Line& to_clients, pid_t clients) {
  PinTo(0);
  SetLogLevel(LogLevel::kError);
  const std::string route = "/ws dns:///127.0.0.1:" + std::to_string(from_clients.Hear());
  std::vector<std::string> settings = {"gateway.listen=127.0.0.1:0",
                                       "control.listen=127.0.0.1:0",
                                       "admin.listen=127.0.0.1:0",
                                       "node.shards=1",
                                       "limits.connections_per_address=0",
                                       "limits.connects_per_address_rate=0",
                                       "limits.loop_lag_max=0",
                                       "limits.namespaces=kept history_size=1000 history_ttl=1h "
                                       "reliable=always",
                                       "backend.timeout=1m",
                                       "backend.methods=Connect",
                                       "backend.routes=" + route};
  ConfigSources sources = {.settings = std::move(settings), .default_server_id = "bench"};
  if (!redis.empty()) sources.environment.push_back("WSROUTER_REDIS_URL=" + redis);
  const auto config = LoadConfig(sources);
  Check(config.ok(), config.status().ToString());
  const auto node = Node::Start(*config, "bench");
  Check(node.ok(), node.status().ToString());
  for (const std::string& address :
       {(*node)->gateway_addresses().front(), (*node)->control_address()}) {
    to_clients.Tell(std::stoi(address.substr(address.rfind(':') + 1)));
  }
  int status = 0;
  waitpid(clients, &status, 0);
  Check(status == 0, "the clients failed");
}

// In a process of its own, so that nothing of gRPC is forked.
void Run(const char* engine) {
  const pid_t run = fork();
  if (run != 0) {
    int status = 0;
    waitpid(run, &status, 0);
    return Check(status == 0, "the node failed");
  }
  RaiseDescriptorLimit();
  std::unique_ptr<PrivateRedis> redis;
  if (std::string_view(engine) == "Redis") redis = std::make_unique<PrivateRedis>();
  Line to_node;
  Line to_clients;
  const pid_t clients = fork();
  if (clients == 0) {
    RunClients(engine, to_node, to_clients);
    fflush(stdout);
    _exit(0);
  }
  RunNode(redis == nullptr ? "" : redis->url(), to_node, to_clients, clients);
  redis.reset();
  fflush(stdout);
  _exit(0);
}

}  // namespace
}  // namespace wsrouter

int main() {
  wsrouter::Run("memory");
  wsrouter::Run("Redis");
  return 0;
}
