#include "tests/support/push_load.h"

#include <poll.h>

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/support/eventually.h"

namespace wsrouter {

PushLoad::PushLoad(ClusterNode& node, std::string name, std::vector<std::string> rooms,
                   Receipts receipts)
    : name_(std::move(name)),
      rooms_(std::move(rooms)),
      receipts_(receipts),
      thread_([this, &node] { Push(node); }) {}

void PushLoad::Stop() {
  stop_ = true;
  if (thread_.joinable()) thread_.join();
}

void PushLoad::AwaitMore(size_t pushes) const {
  const size_t wanted = answered() + pushes;
  EXPECT_TRUE(Eventually([&] { return answered() >= wanted; }, absl::Seconds(30)))
      << name_ << " is stuck behind " << answered() << " pushes";
}

void PushLoad::Push(ClusterNode& node) {
  while (!stop_) {
    const size_t number = answers_.size();
    const Receipt receipt = node.Push(RoomOf(number), TextFor(number), receipts_);
    answers_.push_back(
        {.ok = receipt.status.ok(), .partial = receipt.partial, .queued = receipt.queued});
    answered_.store(number + 1, std::memory_order_release);
    // What is answered without Redis is answered too fast to keep all of it.
    if (!receipt.status.ok() || receipt.partial) (void)poll(nullptr, 0, 1);
  }
}

// So long that cuts fall into it.
std::string PushLoad::TextFor(size_t number) const {
  return fmt::format("{} {} {} {:x>200}", name_, RoomOf(number), number, "");
}

std::string PushLoad::WrongIn(const std::vector<std::string>& got,
                              const std::set<std::string>& rooms, Tally& tally) const {
  std::vector<bool> seen(answers_.size(), false);
  absl::flat_hash_map<std::string, size_t> last;
  for (const std::string& text : got) {
    if (!text.starts_with(name_ + " ")) continue;
    const std::vector<std::string> words = absl::StrSplit(text, ' ');
    size_t number = 0;
    if (words.size() != 4 || !absl::SimpleAtoi(words[2], &number) || number >= seen.size() ||
        text != TextFor(number)) {
      return fmt::format("'{}' was never pushed", text);
    }
    if (!rooms.contains(RoomOf(number))) return fmt::format("'{}' was for others", text);
    if (seen[number]) return fmt::format("'{}' came twice", text);
    seen[number] = true;
    ++tally[text];
    if (!answers_[number].ok) continue;
    size_t& before = last[RoomOf(number)];
    if (number < before) return fmt::format("'{}' came behind {}", text, before);
    before = number;
  }
  return "";
}

std::string PushLoad::MissingIn(const std::vector<std::string>& got, const std::string& room,
                                size_t first) const {
  const std::set<std::string> all(got.begin(), got.end());
  for (size_t number = first; number < answers_.size(); ++number) {
    if (RoomOf(number) != room || all.contains(TextFor(number))) continue;
    return fmt::format("{} of {} to {} did not come", number, answers_.size(), room);
  }
  return "";
}

std::string PushLoad::LieIn(const Tally& tally) const {
  for (size_t number = 0; number < answers_.size(); ++number) {
    const Answer& answer = answers_[number];
    if (!answer.ok) continue;
    const auto found = tally.find(TextFor(number));
    const uint64_t got = found == tally.end() ? 0 : found->second;
    const bool at_least = answer.partial || receipts_ == Receipts::kLocal;
    if (at_least ? got >= answer.queued : got == answer.queued) continue;
    return fmt::format("{} got {} of {}, its answer says {}{}", got, number, name_, answer.queued,
                       answer.partial ? ", partial" : "");
  }
  return "";
}

}  // namespace wsrouter
