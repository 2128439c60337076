#include "control/member_labels.h"

#include <utility>

#include "base/strings.h"
#include "control/convert.h"

namespace wsrouter {
namespace {

// Of several shards' answers about one client, that of the connection which opened last.
StringMap<const ConnectionDescription*> LastOfEach(const Receipt& receipt) {
  const auto opened = [](const ConnectionDescription& described) {
    return std::pair(described.connected_at, described.id);
  };
  StringMap<const ConnectionDescription*> last;
  for (const ConnectionDescription& described : receipt.connections) {
    const ConnectionDescription*& known = last[described.client.value];
    if (known == nullptr || opened(*known) < opened(described)) known = &described;
  }
  return last;
}

// What does not fit goes on the next page.
void AddLabels(const Receipt& receipt, v1::MembersResponse& page) {
  const auto last = LastOfEach(receipt);
  size_t octets = 0;
  for (int i = 0; i < page.members_size(); ++i) {
    v1::Member& member = *page.mutable_members(i);
    const auto found = last.find(member.client_id());
    if (found == last.end()) continue;
    const Labels& labels = found->second->labels;
    for (const auto& [key, value] : labels) octets += key.size() + value.size();
    if (i > 0 && octets > kLabelledPageBytesMax) {
      page.set_next_cursor(page.members(i - 1).client_id());
      page.mutable_members()->DeleteSubrange(i, page.members_size() - i);
      return;
    }
    member.mutable_labels()->insert(labels.begin(), labels.end());
  }
}

}  // namespace

void AnswerWithLabels(Broker& broker, const RoomName& room, v1::MembersResponse page,
                      Answer<v1::MembersResponse> answer) {
  if (page.members().empty()) return std::move(answer)(std::move(page));
  Describe describe = {.after = std::nullopt, .count = static_cast<uint32_t>(page.members_size())};
  for (const v1::Member& member : page.members()) describe.clients.push_back({member.client_id()});
  broker.Publish(
      {.to = room, .action = std::move(describe)},
      [page = std::move(page), answer = std::move(answer)](const Receipt& receipt) mutable {
        const absl::Status verdict = Verdict(receipt);
        if (!verdict.ok()) return std::move(answer)(verdict);
        AddLabels(receipt, page);
        page.set_partial(IsPartial(receipt));
        std::move(answer)(std::move(page));
      });
}

}  // namespace wsrouter
