#ifndef WSROUTER_CONTROL_ANSWER_H_
#define WSROUTER_CONTROL_ANSWER_H_

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "control/errors.h"
#include "core/error.h"
#include "core/receipt.h"

namespace wsrouter {

// How a call is answered: exactly once, on any thread, maybe inside the call. What it does must
// not block, since a shard may be waiting for it.
template <typename Response>
using Answer = absl::AnyInvocable<void(absl::StatusOr<Response>) &&>;

// Whether the envelope did what it could: refused by those it addressed, or lost on its way to all
// of them, it did not.
inline absl::Status Verdict(const Receipt& receipt) {
  if (!receipt.status.ok()) return receipt.status;
  if (receipt.kept.position.offset > 0) return absl::OkStatus();  // it is in the history
  return receipt.matched == 0 && receipt.dropped_mailbox_full > 0 ? Overloaded() : absl::OkStatus();
}

// The same for an envelope to one connection that must be there.
inline absl::Status ConnectionVerdict(const Receipt& receipt) {
  const absl::Status verdict = Verdict(receipt);
  return verdict.ok() && receipt.matched == 0 ? ConnectionGone() : verdict;
}

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_ANSWER_H_
