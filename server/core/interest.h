#ifndef WSROUTER_CORE_INTEREST_H_
#define WSROUTER_CORE_INTEREST_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "base/strings.h"
#include "core/broker.h"

namespace wsrouter {

// Runs a task on the thread that owns the shard, later but soon, in the order posted. Never
// refuses: tasks are answers to questions that the shard asked. Any thread. A copy may outlive the
// shard, and then drops what it is given: whatever answers the shard keeps a copy, and touches the
// shard inside of the task alone.
using PostTask = std::function<void(absl::AnyInvocable<void() &&>)>;

// The topics that a shard wants, each for as long as somebody on the shard holds it. What the
// broker hears is the first hold and the last release.
//
// Owned by one shard thread; not synchronised.
class Interest {
 public:
  using Live = absl::AnyInvocable<void(absl::Status) &&>;

  Interest(Broker& broker, Subscriber& shard, PostTask post)
      : broker_(broker), shard_(shard), post_(std::move(post)) {}

  void Hold(const Topic& topic);
  void Release(const Topic& topic);

  // `live` runs on the shard's thread once the subscription to `topic`, which must be held, is
  // live (inside the call where it already is), or could not be had, or nobody holds it any more.
  void Await(const Topic& topic, Live live);

  size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    uint64_t holds = 0;
    uint64_t generation = 0;  // tells an answer to this subscription from one to a forgotten one
    bool live = false;
    std::vector<Live> waiting;
  };

  // Asks the broker, unless that has been done.
  void Subscribe(const Topic& topic, const std::string& key, Entry& entry);
  void OnSubscribed(const std::string& key, uint64_t generation, const absl::Status& status);

  Broker& broker_;
  Subscriber& shard_;
  const PostTask post_;
  uint64_t generations_ = 0;
  StringMap<Entry> entries_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_INTEREST_H_
