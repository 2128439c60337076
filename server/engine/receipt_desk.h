#ifndef WSROUTER_ENGINE_RECEIPT_DESK_H_
#define WSROUTER_ENGINE_RECEIPT_DESK_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "core/receipt.h"

namespace wsrouter {

// What was published and is not answered yet. A request is answered once: when Redis has said how
// many nodes got it and as many of those whose receipts are wanted have sent theirs, or when its
// time is over, or when the link is lost.
//
// The link's thread. What waits is bounded by who opens requests.
class ReceiptDesk {
 public:
  struct Request {
    bool to_connection = false;  // for one connection: without its receipt nothing is known
    bool local_only = false;     // of all receipts this node's own is waited for
    bool local_due = false;      // this node is subscribed, so its own is to come
    bool cut_off = false;  // this node's own subscribers are not reached, though they are live
    bool kept = false;     // not done unless Redis has said so, done once it has
    ReceiptSum::Done done;
  };

  void Open(uint64_t number, Request request, absl::Duration due_uptime);
  // Redis handed it to so many nodes; or could not be asked, or did not say.
  void OnPublished(uint64_t number, uint64_t nodes, const Kept& kept = {});
  void OnFailed(uint64_t number, const absl::Status& why);
  // A node's receipt. Unknown numbers are of requests that did not wait any longer.
  void OnReceipt(uint64_t number, Receipt&& receipt);

  void GiveUpOverdue(absl::Duration now_uptime);
  void GiveUpAll(const absl::Status& why);

 private:
  struct Waiting {
    Request request;
    Receipt sum;
    uint64_t came = 0;
    std::optional<uint64_t> nodes;
  };

  void AnswerIfComplete(uint64_t number, Waiting& waiting);
  void GiveUp(uint64_t number, const absl::Status& why);

  absl::flat_hash_map<uint64_t, Waiting> waiting_;
  std::deque<std::pair<absl::Duration, uint64_t>> due_;  // all have the same patience
};

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_RECEIPT_DESK_H_
