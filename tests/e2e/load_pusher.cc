// Pushes to rooms over gRPC as a process: `<number> <nanoseconds>` (tests/support/load_account.h)
// to the rooms `<prefix>0` and so on by turns, each room's push behind the answer of the last one,
// at one node after the other.
//
//   load_pusher PREFIX ROOMS [reliable] [local]
//
// `local`: an answer is not waited for until all nodes have told what they did, of which one may be
// dead, and counts the members at the node that was called.
//
// Reads commands, one a line, and answers each with one line of JSON:
//   nodes ADDRESS...   control addresses to push at from now on
//   rate NUMBER        pushes a second, 0 at first
//   report             what came of them since the last report; `idle` when none is under way
// What a node that stops does not take, UNAVAILABLE or CANCELLED, is pushed again, at the next
// node.
#include <fcntl.h>
#include <grpcpp/grpcpp.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "nlohmann/json.hpp"
#include "wsrouter/v1/router.grpc.pb.h"

namespace wsrouter {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);
constexpr size_t kUnsureTold = 10;

struct Call {
  grpc::ClientContext context;
  v1::PushRequest request;
  v1::PushResponse response;
  size_t room = 0;
  absl::Duration begin;
};

class Pusher {
 public:
  Pusher(std::string prefix, size_t rooms, bool reliable, v1::Wait wait)
      : prefix_(std::move(prefix)), reliable_(reliable), wait_(wait), rooms_(rooms) {}

  void SetNodes(const std::vector<std::string>& addresses) {
    absl::MutexLock lock(&mutex_);
    nodes_.clear();
    for (const std::string& address : addresses) {
      std::unique_ptr<v1::Router::Stub>& stub = stubs_[address];
      if (stub == nullptr) {
        stub =
            v1::Router::NewStub(grpc::CreateChannel(address, grpc::InsecureChannelCredentials()));
      }
      nodes_.push_back(stub.get());
    }
  }
  void SetRate(double a_second) {
    absl::MutexLock lock(&mutex_);
    rate_ = a_second;
    owed_ = 0;
    paid_at_ = clock_.Now().uptime;
  }

  // Pushes what is due.
  void Turn() {
    absl::MutexLock lock(&mutex_);
    const absl::Duration now = clock_.Now().uptime;
    owed_ = std::min(owed_ + rate_ * absl::ToDoubleSeconds(now - std::exchange(paid_at_, now)),
                     static_cast<double>(rooms_.size()));
    for (; owed_ >= 1 && !nodes_.empty(); --owed_) {
      Room* room = NextIdle();
      if (room == nullptr) {
        late_ += static_cast<uint64_t>(owed_);
        owed_ = 0;
        return;
      }
      room->busy = true;
      ++room->number;
      Push(static_cast<size_t>(room - rooms_.data()));
    }
  }

  nlohmann::json Report() {
    absl::MutexLock lock(&mutex_);
    std::ranges::sort(answer_us_);
    const auto at = [&](double part) ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return answer_us_.empty() ? 0
                                : answer_us_[static_cast<size_t>(
                                      part * static_cast<double>(answer_us_.size() - 1))];
    };
    nlohmann::json failed = nlohmann::json::object();
    for (const auto& [code, count] : std::exchange(failed_, {})) {
      failed[std::to_string(code)] = count;
    }
    nlohmann::json report = {{"pushed", answer_us_.size()},
                             {"queued", std::exchange(queued_, 0)},
                             {"dropped", std::exchange(dropped_, 0)},
                             {"partial", std::exchange(partial_, 0)},
                             {"late", std::exchange(late_, 0)},
                             {"failed", failed},
                             {"unsure", std::exchange(unsure_, {})},
                             {"answer_us", {{"p50", at(0.5)}, {"p99", at(0.99)}, {"max", at(1)}}},
                             {"idle", under_way_ == 0}};
    answer_us_.clear();
    return report;
  }

 private:
  struct Room {
    uint64_t number = 0;
    bool busy = false;
  };

  Room* NextIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (size_t tried = 0; tried < rooms_.size(); ++tried) {
      next_room_ = (next_room_ + 1) % rooms_.size();
      if (!rooms_[next_room_].busy) return &rooms_[next_room_];
    }
    return nullptr;
  }

  void Push(size_t index) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ++under_way_;
    auto call = std::make_shared<Call>();
    call->room = index;
    call->begin = clock_.Now().uptime;
    call->context.set_deadline(std::chrono::system_clock::now() +
                               absl::ToChronoMilliseconds(kPatience));
    call->request.set_room(prefix_ + std::to_string(index));
    call->request.set_reliable(reliable_);
    call->request.mutable_options()->set_wait(wait_);
    call->request.mutable_payload()->set_text(
        std::to_string(rooms_[index].number) + " " +
        std::to_string(absl::ToInt64Nanoseconds(call->begin)));
    nodes_[++next_node_ % nodes_.size()]->async()->Push(
        &call->context, &call->request, &call->response,
        [this, call](const grpc::Status& status) { Answered(*call, status); });
  }

  void Answered(const Call& call, const grpc::Status& status) {
    absl::MutexLock lock(&mutex_);
    --under_way_;
    if (!status.ok()) ++failed_[status.error_code()];
    const bool taken = status.error_code() != grpc::UNAVAILABLE &&  // the channel is closed
                       status.error_code() != grpc::CANCELLED;      // gRPC is about to close it
    if (!taken) return Push(call.room);
    rooms_[call.room].busy = false;
    if (!status.ok()) {
      if (unsure_.size() < kUnsureTold) {
        unsure_.push_back(call.request.room() + " " + call.request.payload().text() + " " +
                          std::to_string(status.error_code()) + " " + status.error_message());
      }
      return;
    }
    answer_us_.push_back(absl::ToInt64Microseconds(clock_.Now().uptime - call.begin));
    const v1::Outcome& outcome = call.response.rooms(0).outcome();
    queued_ += outcome.queued();
    dropped_ += outcome.dropped_slow_consumer() + outcome.dropped_mailbox_full();
    if (outcome.partial()) ++partial_;
  }

  const SystemClock clock_;
  const std::string prefix_;
  const bool reliable_;
  const v1::Wait wait_;
  absl::Mutex mutex_;
  std::vector<Room> rooms_ ABSL_GUARDED_BY(mutex_);
  // By address, for good: gRPC frees a channel twice whose last call's callback lets go of it.
  std::map<std::string, std::unique_ptr<v1::Router::Stub>> stubs_ ABSL_GUARDED_BY(mutex_);
  std::vector<v1::Router::Stub*> nodes_ ABSL_GUARDED_BY(mutex_);
  double rate_ ABSL_GUARDED_BY(mutex_) = 0;
  double owed_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Duration paid_at_ ABSL_GUARDED_BY(mutex_);
  size_t next_room_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t next_node_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t queued_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t partial_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t late_ ABSL_GUARDED_BY(mutex_) = 0;
  std::vector<std::string> unsure_
      ABSL_GUARDED_BY(mutex_);  // of which nobody knows: the first ones
  std::map<int, uint64_t> failed_ ABSL_GUARDED_BY(mutex_);
  std::vector<int64_t> answer_us_ ABSL_GUARDED_BY(mutex_);
};

nlohmann::json Do(Pusher& pusher, const std::string& line) {
  std::istringstream words(line);
  std::string word;
  words >> word;
  if (word == "report") return pusher.Report();
  if (word == "nodes") {
    pusher.SetNodes({std::istream_iterator<std::string>(words), {}});
  } else if (word == "rate") {
    double rate = 0;
    words >> rate;
    pusher.SetRate(rate);
  } else {
    return {{"unknown", word}};
  }
  return {{"done", word}};
}

void Run(Pusher& pusher) {
  (void)fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  std::string text;
  std::array<char, 4096> octets;
  while (true) {
    pollfd input = {.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    (void)poll(&input, 1, 1);
    if (input.revents != 0) {
      const ssize_t got = read(STDIN_FILENO, octets.data(), octets.size());
      if (got == 0) return;
      if (got > 0) text.append(octets.data(), static_cast<size_t>(got));
    }
    for (size_t end; (end = text.find('\n')) != std::string::npos; text.erase(0, end + 1)) {
      std::cout << Do(pusher, text.substr(0, end)).dump() << std::endl;
    }
    pusher.Turn();
  }
}

}  // namespace
}  // namespace wsrouter

int main(int count, char** words) {
  if (count < 3) {
    std::cerr << "load_pusher PREFIX ROOMS [reliable] [local]\n";
    return 2;
  }
  const std::set<std::string> more(words + 3, words + count);
  // Never destroyed: calls may be under way at the end.
  auto& pusher = *new wsrouter::Pusher(
      words[1], std::stoul(words[2]), more.contains("reliable"),
      more.contains("local") ? wsrouter::v1::WAIT_LOCAL : wsrouter::v1::WAIT_ROUTED);
  wsrouter::Run(pusher);
  std::cout.flush();
  _exit(0);
}
