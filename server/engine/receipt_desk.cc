#include "engine/receipt_desk.h"

#include "core/error.h"

namespace wsrouter {

void ReceiptDesk::Open(uint64_t number, Request request, absl::Duration due_uptime) {
  due_.emplace_back(due_uptime, number);
  waiting_[number].request = std::move(request);
}

void ReceiptDesk::OnPublished(uint64_t number, uint64_t nodes, const Kept& kept) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return;
  found->second.nodes = nodes;
  found->second.sum.kept = kept;
  AnswerIfComplete(number, found->second);
}

void ReceiptDesk::OnFailed(uint64_t number, const absl::Status& why) { GiveUp(number, why); }

void ReceiptDesk::OnReceipt(uint64_t number, Receipt&& receipt) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return;
  found->second.sum.Add(std::move(receipt));
  ++found->second.came;
  AnswerIfComplete(number, found->second);
}

void ReceiptDesk::AnswerIfComplete(uint64_t number, Waiting& waiting) {
  if (!waiting.nodes.has_value()) return;
  const Request& request = waiting.request;
  const uint64_t wanted =
      request.local_only ? (request.local_due && *waiting.nodes > 0 ? 1 : 0) : *waiting.nodes;
  if (waiting.came < wanted) return;
  Waiting whole = std::move(waiting);
  waiting_.erase(number);
  whole.sum.nodes = static_cast<uint32_t>(*whole.nodes);
  whole.sum.partial = whole.sum.partial || whole.request.cut_off;
  std::move(whole.request.done)(std::move(whole.sum));
}

void ReceiptDesk::GiveUp(uint64_t number, const absl::Status& why) {
  const auto found = waiting_.find(number);
  if (found == waiting_.end()) return;
  Waiting part = std::move(found->second);
  waiting_.erase(found);
  part.sum.partial = true;
  part.sum.nodes = static_cast<uint32_t>(part.nodes.value_or(part.came));
  // What some nodes did is true whatever the others did; of one connection nothing is known.
  const bool known = part.request.kept ? part.nodes.has_value() : part.came > 0;
  if (part.request.to_connection || !known) part.sum.status = why;
  std::move(part.request.done)(std::move(part.sum));
}

void ReceiptDesk::GiveUpOverdue(absl::Duration now_uptime) {
  while (!due_.empty() && due_.front().first <= now_uptime) {
    const uint64_t number = due_.front().second;
    due_.pop_front();
    GiveUp(number, Refusal(absl::StatusCode::kUnavailable, "NODE_SILENT",
                           "a node got it and did not answer in time"));
  }
}

void ReceiptDesk::GiveUpAll(const absl::Status& why) {
  for (; !due_.empty(); due_.pop_front()) GiveUp(due_.front().second, why);
}

}  // namespace wsrouter
