// A consumer of the event log as a process: prints each entry before it settles it.
//
//   log_consumer GROUP IN_HAND [poisoned]
//
// Each line of its standard input is the address of the node to consume at from then on; at the end
// of the input it settles what it has, and ends. `poisoned`: what CONNECTED tells of clients whose
// number is 7 or 13 modulo 50 is given back, or held and never settled.
// Lines:
//   ID KIND MILLISECONDS CONNECTION CLIENT PREVIOUS CAUSE ROOM DELIVERIES    - where there is none
//   status PARTITIONS DEAD LOST
#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "wsrouter/backend_client.h"

namespace {

namespace v1 = wsrouter::v1;
using wsrouter::client::BackendClient;
using wsrouter::client::ConsumedEntry;
using wsrouter::client::EventStream;

// Each line in one write, so that a reader never sees a part of one.
void Print(const std::string& line) {
  if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(1);
}

std::string Word(const std::string& text) { return text.empty() ? "-" : text; }

std::string LineOf(const ConsumedEntry& taken) {
  const v1::LogEntry& entry = taken.entry();
  const std::string kind = v1::LogKind_Name(entry.kind()).substr(sizeof("LOG_KIND"));
  const std::string cause =
      v1::DisconnectCause_Name(entry.cause()).substr(sizeof("DISCONNECT_CAUSE"));
  return fmt::format("{} {} {} {} {} {} {} {} {}\n", entry.id(), kind,
                     entry.at().seconds() * 1000 + entry.at().nanos() / 1'000'000,
                     entry.connection_id(), entry.client_id(), Word(entry.previous_connection_id()),
                     cause, Word(entry.room()), taken.deliveries());
}

class Consumer {
 public:
  Consumer(std::string group, uint32_t in_hand, bool poisoned)
      : group_(std::move(group)), in_hand_(in_hand), poisoned_(poisoned) {}

  void Turn(const std::string& target) {
    stream_ = nullptr;
    client_ =
        std::make_unique<BackendClient>(wsrouter::client::BackendClientOptions{.target = target});
    wsrouter::client::ConsumeRequest request = {
        .group = group_, .in_hand = in_hand_, .from_start = true};
    if (poisoned_) request.visibility = absl::Seconds(1);
    stream_ = client_->Consume(
        request, {.on_entry = [this](ConsumedEntry taken) { Handle(std::move(taken)); },
                  .on_status =
                      [](const v1::ConsumerStatus& status) {
                        Print(fmt::format("status {} {} {}\n", status.partitions(),
                                          status.dead_letters(), status.lost()));
                      }});
  }

 private:
  void Handle(ConsumedEntry taken) {
    Print(LineOf(taken));
    const std::string client = taken.entry().client_id();
    const bool marked = poisoned_ && taken.entry().kind() == v1::LOG_KIND_CONNECTED;
    const int number = marked ? std::stoi(client.substr(1)) % 50 : 0;
    if (number == 7) {
      taken.Again(absl::ZeroDuration());
    } else if (number == 13) {
      held_.push_back(std::move(taken));
    } else {
      taken.Done();
    }
  }

  const std::string group_;
  const uint32_t in_hand_;
  const bool poisoned_;
  std::vector<ConsumedEntry> held_;  // the stream's thread's
  std::unique_ptr<BackendClient> client_;
  std::unique_ptr<EventStream> stream_;  // behind what it uses
};

}  // namespace

int main(int count, char** words) {
  if (count < 3) {
    std::cerr << "log_consumer GROUP IN_HAND [poisoned]\n";
    return 2;
  }
  Consumer consumer(words[1], static_cast<uint32_t>(std::stoul(words[2])), count > 3);
  for (std::string target; std::getline(std::cin, target);) consumer.Turn(target);
  return 0;
}
