#ifndef WSROUTER_ENGINE_TOPIC_TABLE_H_
#define WSROUTER_ENGINE_TOPIC_TABLE_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "base/strings.h"
#include "core/broker.h"

namespace wsrouter {

// This node's subscribers by topic (KeyOf), and how far the node itself is subscribed to the
// topic's channel: not at all, asked, or live. The names of channels and the asking are the
// broker's.
//
// Any thread. The lock is held while mailboxes are posted to: that is what gives every subscriber
// of a topic one order, and lets Remove promise that no Take follows.
class TopicTable {
 public:
  using Live = absl::AnyInvocable<void(absl::Status) &&>;
  // How a subscription to a channel is asked for: as long as `generation` is the entry's, the
  // answer is of interest.
  struct Ask {
    std::string key;
    uint64_t generation = 0;
  };

  // Hands the envelope to the topic's subscribers; 0 when there are none. Each has a part of `sum`.
  size_t Deliver(std::string_view key, const std::shared_ptr<const Envelope>& envelope,
                 const std::shared_ptr<ReceiptSum>& sum);

  // Adds the subscriber, unless it is there already. `needs_channel`: live only when the channel
  // is; then the result says whether the channel must be asked for. `live` runs inside the call
  // where that is known already.
  bool Add(Subscriber& subscriber, std::string_view key, bool needs_channel, Live live);
  // When it returns, no Take of this topic is running or will begin. True when the topic has lost
  // its last subscriber.
  bool Remove(Subscriber& subscriber, std::string_view key);

  // Nothing when nobody wants the channel, or it has been asked for. From now on it has.
  std::optional<Ask> BeginAsk(std::string_view key);
  // All channels that are wanted and have not been asked for.
  std::vector<Ask> BeginAskAll();
  void EndAsk(const Ask& ask, const absl::Status& status);
  // Whether the channel may be given up: nobody wants it, or nobody has asked for it again.
  bool MayGiveUp(std::string_view key) const;
  bool IsLive(std::string_view key) const;
  // Whether the topic's channel was live, was lost, and is not live again.
  bool IsCutOff(std::string_view key) const;
  // No channel is subscribed any more; who waits is told `why`.
  void LoseChannels(const absl::Status& why);
  // Who waits for a channel that cannot be asked for now is told `why`.
  void Refuse(std::string_view key, const absl::Status& why);

 private:
  struct Entry {
    std::vector<Subscriber*> subscribers;
    bool needs_channel = false;
    bool asked = false;
    bool live = false;
    bool cut_off = false;
    uint64_t generation = 0;
    std::vector<Live> waiting;
  };

  mutable absl::Mutex mutex_;
  uint64_t generations_ ABSL_GUARDED_BY(mutex_) = 0;
  StringMap<Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_TOPIC_TABLE_H_
