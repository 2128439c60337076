#ifndef WSROUTER_TESTS_SUPPORT_PUSH_LOAD_H_
#define WSROUTER_TESTS_SUPPORT_PUSH_LOAD_H_

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "tests/support/cluster_node.h"

namespace wsrouter {

// A thread that pushes at one node, one push behind the answer of the one before, to its rooms in
// turn; and what became of each.
class PushLoad {
 public:
  struct Answer {
    bool ok = false;
    bool partial = false;
    uint64_t queued = 0;
  };
  // How many connections got a text.
  using Tally = absl::flat_hash_map<std::string, uint64_t>;

  // With kLocal it does not wait for other nodes, so their silence does not hold it up.
  PushLoad(ClusterNode& node, std::string name, std::vector<std::string> rooms,
           Receipts receipts = Receipts::kRouted);
  ~PushLoad() { Stop(); }
  PushLoad(const PushLoad&) = delete;

  void Stop();  // behind the answer that it waits for
  size_t answered() const { return answered_.load(std::memory_order_acquire); }
  // Until so many more pushes have been answered.
  void AwaitMore(size_t pushes) const;

  // The following only after Stop.

  // The first thing that is wrong with what a connection got that was in these rooms alone:
  // something that nobody pushed to them, something twice, or an answered push behind a later one
  // to its room. Texts of other loads are left out. Counts the rest in `tally`.
  std::string WrongIn(const std::vector<std::string>& got, const std::set<std::string>& rooms,
                      Tally& tally) const;
  // The first push to this room, from `first` on, that a connection did not get.
  std::string MissingIn(const std::vector<std::string>& got, const std::string& room,
                        size_t first = 0) const;
  // The first push of which more connections got it than its answer says, or fewer; of an
  // answer that is partial or of one node, fewer.
  std::string LieIn(const Tally& tally) const;

 private:
  void Push(ClusterNode& node);
  const std::string& RoomOf(size_t number) const { return rooms_[number % rooms_.size()]; }
  std::string TextFor(size_t number) const;

  const std::string name_;
  const std::vector<std::string> rooms_;
  const Receipts receipts_;
  std::vector<Answer> answers_;
  std::atomic<size_t> answered_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_PUSH_LOAD_H_
