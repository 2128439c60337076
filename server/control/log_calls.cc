#include "control/log_calls.h"

#include <string>
#include <utility>
#include <vector>

#include "control/checks.h"
#include "control/convert.h"

namespace wsrouter {
namespace {

// The ids of dead letters are names, too.
using LetterId = Id<struct LetterKind>;
using GroupName = Id<struct GroupKind>;

template <typename Request>
std::vector<std::string> Ids(Checks& checks, const Request& request) {
  std::vector<std::string> ids;
  for (LetterId& id : checks.NonEmptyList<LetterId>("ids", request.ids())) {
    ids.push_back(std::move(id.value));
  }
  return ids;
}

// Answers with what `fill` makes of the log's answer.
template <typename Response, typename Found, typename Fill>
auto Filling(Answer<Response> answer, Fill fill) {
  return [answer = std::move(answer), fill](absl::StatusOr<Found> found) mutable {
    if (!found.ok()) return std::move(answer)(found.status());
    Response response;
    fill(*found, response);
    std::move(answer)(std::move(response));
  };
}

}  // namespace

void LogCalls::ConsumerGroups(const v1::ConsumerGroupsRequest&,
                              Answer<v1::ConsumerGroupsResponse> answer) {
  log_.Groups(Filling<v1::ConsumerGroupsResponse, LogGroups>(
      std::move(answer), [](const LogGroups& found, v1::ConsumerGroupsResponse& response) {
        response.set_appended(found.appended);
        response.set_refused(found.refused);
        for (const LogGroup& group : found.groups) {
          v1::ConsumerGroup& shown = *response.add_groups();
          shown.set_group(group.name);
          shown.set_lag(group.lag);
          shown.set_pending(group.pending);
          shown.set_dead_letters(group.dead);
          shown.set_consumers(static_cast<uint32_t>(group.consumers));
          shown.set_lost(group.lost);
        }
      }));
}

void LogCalls::DeleteGroup(const v1::DeleteGroupRequest& request,
                           Answer<v1::DeleteGroupResponse> answer) {
  Checks checks;
  const auto group = checks.Required<GroupName>("group", request.group());
  if (!checks.ok()) return std::move(answer)(checks.status());
  log_.DeleteGroup(group.value,
                   Filling<v1::DeleteGroupResponse, bool>(
                       std::move(answer), [](bool was, v1::DeleteGroupResponse& response) {
                         response.set_deleted(was);
                       }));
}

void LogCalls::DeadLetters(const v1::DeadLettersRequest& request,
                           Answer<v1::DeadLettersResponse> answer) {
  Checks checks;
  const auto group = checks.Required<GroupName>("group", request.group());
  const auto cursor = checks.Optional<LetterId>("cursor", request.cursor());
  const uint32_t count = checks.PageCount(request.count());
  if (!checks.ok()) return std::move(answer)(checks.status());
  log_.DeadLetters(
      group.value, cursor.value_or(LetterId{}).value, count,
      Filling<v1::DeadLettersResponse, DeadLettersPage>(
          std::move(answer), [](const DeadLettersPage& page, v1::DeadLettersResponse& response) {
            response.set_next_cursor(page.next_cursor);
            for (const DeadLetter& letter : page.letters) {
              v1::DeadLetter& shown = *response.add_letters();
              shown.set_id(letter.id);
              *shown.mutable_entry() = ToProto(letter.entry);
              shown.set_deliveries(static_cast<uint32_t>(letter.deliveries));
            }
          }));
}

void LogCalls::RequeueDeadLetters(const v1::RequeueDeadLettersRequest& request,
                                  Answer<v1::RequeueDeadLettersResponse> answer) {
  Checks checks;
  const auto group = checks.Required<GroupName>("group", request.group());
  const std::vector<std::string> ids = Ids(checks, request);
  if (!checks.ok()) return std::move(answer)(checks.status());
  log_.TakeDeadLetters(
      group.value, ids, true,
      Filling<v1::RequeueDeadLettersResponse, uint64_t>(
          std::move(answer), [](uint64_t moved, v1::RequeueDeadLettersResponse& response) {
            response.set_requeued(static_cast<uint32_t>(moved));
          }));
}

void LogCalls::DropDeadLetters(const v1::DropDeadLettersRequest& request,
                               Answer<v1::DropDeadLettersResponse> answer) {
  Checks checks;
  const auto group = checks.Required<GroupName>("group", request.group());
  const std::vector<std::string> ids = Ids(checks, request);
  if (!checks.ok()) return std::move(answer)(checks.status());
  log_.TakeDeadLetters(
      group.value, ids, false,
      Filling<v1::DropDeadLettersResponse, uint64_t>(
          std::move(answer), [](uint64_t dropped, v1::DropDeadLettersResponse& response) {
            response.set_dropped(static_cast<uint32_t>(dropped));
          }));
}

}  // namespace wsrouter
