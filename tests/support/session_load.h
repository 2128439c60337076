#ifndef WSROUTER_TESTS_SUPPORT_SESSION_LOAD_H_
#define WSROUTER_TESTS_SUPPORT_SESSION_LOAD_H_

#include <cstdint>
#include <functional>
#include <queue>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/unique_fd.h"
#include "nlohmann/json_fwd.hpp"

namespace wsrouter {

// Clients of wsrouter.v1.json by the thousand, all on the thread that calls RunOnce. Each keeps one
// connection: whatever ends it, the client comes back, to any of the nodes, with the token of its
// session or without.
class SessionLoad {
 public:
  enum class Loss {
    kCut,        // by an act: TCP was reset
    kClosed,     // by an act: the client said Close 1000
    kAbandoned,  // by an act: the client has turned to another connection, and left this one open
    kPeer,       // by the node, or by its end
  };
  struct Options {
    uint32_t clients = 1;
    // Path and query with which a client connects, credentials included.
    std::function<std::string(uint32_t client)> target;
    std::vector<std::string> rooms;  // which acts join and leave
    double resume_share = 1;         // of those that come back: with their token, if they have one
    absl::Duration back_after_max = absl::Milliseconds(500);  // with full jitter
    uint32_t connecting_max = 200;                            // at a time
    // Each client connects from one of so many addresses, 127.1.0.1 upwards. 0: as the kernel
    // likes.
    uint32_t sources = 0;
    uint64_t seed = 1;
  };
  struct Handlers {
    // The node has said who the client is. `after`: since its last connection was lost.
    std::function<void(uint32_t client, const std::string& connection, bool resumed,
                       absl::Duration after)>
        on_up;
    std::function<void(uint32_t client, const std::string& connection, Loss loss)> on_down;
    // Every frame of the node but welcome: the JSON of a ServerFrame. May be empty, as the others.
    std::function<void(uint32_t client, std::string_view frame)> on_frame;
    // The node has said Close to a client that was up; its on_down follows.
    std::function<void(uint32_t client, uint16_t code)> on_close;
    // Instead of on_up: the status of the answer, or the code of a Close behind it; 0 where there
    // was none. The client tries again, not before the answer's Retry-After.
    std::function<void(uint32_t client, int status)> on_refused;
  };

  SessionLoad(Options options, Handlers handlers);
  SessionLoad(const SessionLoad&) = delete;
  ~SessionLoad();

  // Where clients connect from now on, 127.0.0.1:port each; while there are none they wait.
  void SetNodes(std::vector<std::string> addresses) { nodes_ = std::move(addresses); }
  // So many times a second some client does something: it cuts its connection, closes or abandons
  // it, joins or leaves a room.
  void SetActs(double a_second);
  // Cuts about this share of all connections.
  void Cut(double share);
  // Everybody closes for good.
  void CloseAll();
  // What a client that is up says: the JSON of a ClientFrame.
  void Say(uint32_t client, std::string_view frame);

  // Does what there is to do, and waits for it at most so long.
  void RunOnce(absl::Duration wait_max);

  uint32_t up() const { return up_; }
  // What a client that is up has waited from its connect to its welcome.
  absl::Duration opening(uint32_t client) const { return clients_[client].opening; }
  // Connections that are open in any state, those that were abandoned included.
  size_t open() const;

 private:
  enum class State { kAway, kConnecting, kUpgrading, kOpen, kClosing, kGone };
  struct Client {
    State state = State::kAway;
    UniqueFd fd;
    uint32_t turn = 0;       // counts its connections, so that what is said of old ones is known
    std::string in;          // octets that are no whole frame yet
    std::string connection;  // empty until the node has said who it is
    std::string token;
    absl::Duration lost_at = absl::ZeroDuration();
    absl::Duration began_at;
    absl::Duration opening;
  };
  struct Refusal {
    int status = 0;
    absl::Duration retry_after = absl::ZeroDuration();
  };
  using Due = std::pair<absl::Duration, uint32_t>;  // when which client comes back

  absl::Duration now() const { return clock_.Now().uptime; }
  double Draw() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  uint32_t AnyClient() { return static_cast<uint32_t>(random_() % clients_.size()); }
  void ComeBack();
  void Connect(uint32_t index);
  void BindSource(uint32_t index);
  void Watch(uint32_t index, uint32_t events, int operation);
  void OnEvent(uint64_t tag, uint32_t events);
  void OnReadable(uint32_t index, bool goes_on);
  void SendUpgrade(uint32_t index);
  // Does nothing while it is not whole.
  void TakeUpgrade(uint32_t index);
  bool TakeFrame(uint32_t index);
  void OnText(uint32_t index, std::string_view text);
  void OnWelcome(uint32_t index, const nlohmann::json& welcome);
  void Send(uint32_t index, std::string_view octets);
  void OnClose(uint32_t index, std::string_view payload);
  // The client is without a connection, and comes back unless it is to close.
  void Lose(uint32_t index, Loss loss) { Lose(index, loss, Refusal{}); }
  void Lose(uint32_t index, Loss loss, const Refusal& refusal);
  void Abandon(uint32_t index);
  void Act();

  const SystemClock clock_;
  const Options options_;
  const Handlers handlers_;
  std::mt19937_64 random_;
  UniqueFd epoll_;
  std::vector<std::string> nodes_;
  std::vector<Client> clients_;
  std::vector<UniqueFd> abandoned_;  // by descriptor
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  uint32_t connecting_ = 0;
  uint32_t up_ = 0;
  double acts_ = 0;
  double acts_owed_ = 0;
  absl::Duration acted_at_;
  bool closing_ = false;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_SESSION_LOAD_H_
