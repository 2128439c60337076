// What a consumer's stream makes of what it took: payloads of messages are looked up, the rest is
// handed on as it is.
#include <algorithm>
#include <utility>

#include "control/consume_stream.h"
#include "control/convert.h"
#include "control/rpc.h"

namespace wsrouter {

void ConsumeStream::OnTaken(absl::StatusOr<LogTaken> taken) {
  if (ended()) return Leave();
  if (!taken.ok()) {
    asking_ = false;
    // Redis is away; the next tick asks again.
    return absl::IsUnavailable(taken.status()) ? void() : End(taken.status());
  }
  // A log that comes back empty is read from its start.
  terms_->consumer.from_start = true;
  SayStatus(*taken);
  const auto whole = std::make_shared<Taken>();
  whole->taken = *std::move(taken);
  whole->unknown.resize(whole->taken.deliveries.size());
  whole->awaited = 1;
  for (size_t i = 0; i < whole->taken.deliveries.size(); ++i) {
    const LogEntry& entry = whole->taken.deliveries[i].entry;
    whole->shown.push_back(ToProto(entry));
    if (entry.kind == LogKind::kMessage && terms_->kinds.test(v1::LOG_KIND_ROOM_MESSAGE)) {
      LookUp(whole, i);
    }
  }
  if (--whole->awaited == 0) Settled(*whole);
}

void ConsumeStream::LookUp(const std::shared_ptr<Taken>& taken, size_t index) {
  ++taken->awaited;
  const LogEntry& entry = taken->taken.deliveries[index].entry;
  parts_.history.Read(
      entry.room,
      {.since = {.offset = entry.position.offset - 1, .epoch = entry.position.epoch}, .limit = 1},
      [self = shared_from_this(), taken, index](absl::StatusOr<HistoryPage> page) {
        self->Post([taken, index, page = std::move(page)](ConsumeStream& stream) {
          stream.OnLookedUp(*taken, index, page);
        });
      });
}

void ConsumeStream::OnLookedUp(Taken& taken, size_t index,
                               const absl::StatusOr<HistoryPage>& page) {
  const Position& position = taken.taken.deliveries[index].entry.position;
  taken.unknown[index] = absl::IsUnavailable(page.status());
  if (page.ok() && page->top.epoch == position.epoch && !page->entries.empty() &&
      page->entries.front().offset == position.offset) {
    const Frame& frame = *page->entries.front().frame;
    *taken.shown[index].mutable_payload() = ToPayload(frame.opcode(), frame.payload());
  }
  if (--taken.awaited == 0) Settled(taken);
}

void ConsumeStream::Settled(Taken& taken) {
  asking_ = false;
  if (ended()) return Leave();
  std::vector<LogSettlement> unwanted = HandOn(taken);
  if (!unwanted.empty()) {
    parts_.log.Settle(terms_->consumer, std::move(unwanted),
                      [](const absl::StatusOr<uint64_t>&) {});
  }
  if (!taken.taken.deliveries.empty() && terms_->credits > 0) Ask();
}

std::vector<LogSettlement> ConsumeStream::HandOn(Taken& taken) {
  std::vector<LogSettlement> unwanted;
  v1::ConsumeResponse response;
  v1::LogDelivery& delivery = *response.mutable_delivery();
  for (size_t i = 0; i < taken.shown.size(); ++i) {
    const LogDelivery& one = taken.taken.deliveries[i];
    if (taken.unknown[i]) continue;  // comes again
    *delivery.mutable_entry() = std::move(taken.shown[i]);
    if (!terms_->kinds.test(static_cast<size_t>(delivery.entry().kind()))) {
      unwanted.push_back({.receipt = one.receipt, .again_after = std::nullopt});
      continue;
    }
    delivery.set_receipt(one.receipt);
    delivery.set_deliveries(static_cast<uint32_t>(one.deliveries));
    parts_.counters.Add(Counter::kLogHandedOut);
    if (one.deliveries > 1) parts_.counters.Add(Counter::kLogHandedOutAgain);
    terms_->credits -= std::min(terms_->credits, 1u);
    Send(response);
  }
  return unwanted;
}

void ConsumeStream::SayStatus(const LogTaken& taken) {
  parts_.counters.Add(Counter::kLogDead, taken.dead);
  parts_.counters.Add(Counter::kLogLost, taken.lost);
  const bool same = taken.partitions == said_.partitions() && taken.dead == 0 && taken.lost == 0;
  if (std::exchange(greeted_, true) && same) return;
  said_.set_partitions(static_cast<uint32_t>(taken.partitions));
  said_.set_dead_letters(said_.dead_letters() + taken.dead);
  said_.set_lost(said_.lost() + taken.lost);
  v1::ConsumeResponse response;
  *response.mutable_status() = said_;
  Send(response);
}

}  // namespace wsrouter
