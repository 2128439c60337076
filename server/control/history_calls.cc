#include "control/history_calls.h"

#include <utility>

#include "control/checks.h"
#include "control/convert.h"
#include "control/read_push.h"

namespace wsrouter {
namespace {

v1::HistoryEntry RowOf(const HistoryEntry& entry) {
  v1::HistoryEntry row;
  row.set_offset(entry.offset);
  *row.mutable_payload() = ToPayload(entry.frame->opcode(), entry.frame->payload());
  *row.mutable_sent_at() = ToProto(entry.sent_at);
  row.set_from_client_id(entry.from.value);
  return row;
}

}  // namespace

void HistoryCalls::Read(const v1::HistoryRequest& request, Answer<v1::HistoryResponse> answer) {
  Checks checks;
  const auto room = checks.Required<RoomName>("room", request.room());
  const HistoryQuery query = {
      .since = {.offset = request.since().offset(),
                .epoch = ReadKeepText(checks, "since.epoch", request.since().epoch())},
      .limit = checks.PageCount(request.limit(), "limit"),
      .reverse = request.reverse()};
  if (!checks.ok()) return std::move(answer)(checks.status());
  history_.Read(room, query,
                [answer = std::move(answer)](const absl::StatusOr<HistoryPage>& page) mutable {
                  if (!page.ok()) return std::move(answer)(page.status());
                  v1::HistoryResponse response;
                  for (const HistoryEntry& entry : page->entries) {
                    *response.add_entries() = RowOf(entry);
                  }
                  response.set_epoch(page->top.epoch);
                  response.set_top_offset(page->top.offset);
                  response.set_recovered(page->recovered);
                  response.set_more(page->more);
                  std::move(answer)(std::move(response));
                });
}

void HistoryCalls::Trim(const v1::TrimHistoryRequest& request,
                        Answer<v1::TrimHistoryResponse> answer) {
  Checks checks;
  const auto room = checks.Required<RoomName>("room", request.room());
  HistoryTrim trim;
  switch (request.target_case()) {
    case v1::TrimHistoryRequest::kKeep:
      trim.keep = request.keep();
      break;
    case v1::TrimHistoryRequest::kUpToOffset:
      trim.up_to_offset = request.up_to_offset();
      break;
    default:
      checks.FailMissing("target", "is neither keep nor up_to_offset");
  }
  if (!checks.ok()) return std::move(answer)(checks.status());
  history_.Trim(
      room, trim,
      [answer = std::move(answer)](const absl::StatusOr<HistoryTrimmed>& trimmed) mutable {
        if (!trimmed.ok()) return std::move(answer)(trimmed.status());
        v1::TrimHistoryResponse response;
        response.set_removed(trimmed->removed);
        response.set_epoch(trimmed->top.epoch);
        response.set_top_offset(trimmed->top.offset);
        std::move(answer)(std::move(response));
      });
}

}  // namespace wsrouter
