#include "engine/memory_event_log.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "engine/refusals.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// "<part>:<number>"; nothing for what no receipt is.
std::optional<std::pair<size_t, uint64_t>> ParseReceipt(std::string_view receipt) {
  const size_t colon = receipt.find(':');
  std::pair<size_t, uint64_t> parsed;
  if (colon == std::string_view::npos ||
      !absl::SimpleAtoi(AbslView(receipt.substr(0, colon)), &parsed.first) ||
      !absl::SimpleAtoi(AbslView(receipt.substr(colon + 1)), &parsed.second)) {
    return std::nullopt;
  }
  return parsed;
}

}  // namespace

MemoryEventLog::MemoryEventLog(const EventLogOptions& options, const Clock& clock)
    : options_(options),
      clock_(clock),
      ring_max_(std::max<uint64_t>(options.entries_max / options.partitions, 1)),
      rings_(options.partitions) {}

void MemoryEventLog::Append(LogKind kind, const ClientId& client, const ConnectionId& connection) {
  LogEntry entry;
  entry.kind = kind;
  entry.client = client;
  entry.connection = connection;
  Add(std::move(entry));
}

void MemoryEventLog::Add(LogEntry entry) {
  if (!options_.on) return;
  const bool of_room = entry.kind == LogKind::kOccupied || entry.kind == LogKind::kVacated ||
                       entry.kind == LogKind::kMessage;
  const std::string& subject = of_room ? entry.room.value : entry.client.value;
  absl::MutexLock lock(&mutex_);
  const size_t part = std::hash<std::string>()(subject) % rings_.size();
  Ring& ring = rings_[part];
  entry.at = clock_.Now().wall;
  entry.id = fmt::format("{}-{}", part, ring.end());
  ring.entries.push_back(std::move(entry));
  ++appended_;
  Trim(ring, ring.entries.back().at);
}

void MemoryEventLog::Trim(Ring& ring, absl::Time now) {
  while (!ring.entries.empty() &&
         (ring.entries.size() > ring_max_ || ring.entries.front().at < now - options_.age_max)) {
    ring.entries.pop_front();
    ++ring.first;
  }
}

MemoryEventLog::Group* MemoryEventLog::Find(const std::string& group) {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second;
}

absl::StatusOr<MemoryEventLog::Group*> MemoryEventLog::FindOrMake(const LogConsumer& consumer) {
  if (Group* found = Find(consumer.group)) return found;
  if (groups_.size() >= kGroupsMax) return TooManyGroups(kGroupsMax);
  Group& made = groups_[consumer.group];
  made.parts.resize(rings_.size() + 1);
  for (size_t i = 0; i < rings_.size(); ++i) {
    made.parts[i].next = consumer.from_start ? rings_[i].first : rings_[i].end();
  }
  return &made;
}

MemoryEventLog::Ring& MemoryEventLog::RingOf(Group& group, size_t part) {
  return part < rings_.size() ? rings_[part] : group.again;
}

void MemoryEventLog::Take(const LogConsumer& consumer, uint32_t count, Done<LogTaken> done) {
  if (!options_.on) return std::move(done)(EventLogOff());
  absl::StatusOr<LogTaken> taken;
  {
    absl::MutexLock lock(&mutex_);
    const Instant now = clock_.Now();
    for (Ring& ring : rings_) Trim(ring, now.wall);
    taken = TakeLocked(consumer, count, now.uptime);
  }
  std::move(done)(std::move(taken));
}

absl::StatusOr<LogTaken> MemoryEventLog::TakeLocked(const LogConsumer& consumer, uint32_t count,
                                                    absl::Duration now) {
  absl::StatusOr<Group*> found = FindOrMake(consumer);
  if (!found.ok()) return found.status();
  Group& group = **found;
  if (count > 0) group.alive[consumer.name] = now + options_.stay;
  absl::erase_if(group.alive, [&](const auto& one) { return one.second < now; });
  const size_t sharers = std::max<size_t>(group.alive.size(), 1);
  const size_t share = (group.parts.size() + sharers - 1) / sharers;
  LogTaken taken;
  const std::vector<size_t> mine = Hold(group, consumer, count > 0, share, now);
  taken.partitions = mine.size();
  // Each time another one comes first, so that a busy one does not starve the others.
  ++group.turns;
  for (size_t i = 0; i < mine.size(); ++i) {
    const size_t at = (i + group.turns) % mine.size();
    HandOutAgain(group, mine[at], consumer, count, now, taken);
    if (at < share) HandOutFresh(group, mine[at], consumer, count, now, taken);
  }
  return taken;
}

std::vector<size_t> MemoryEventLog::Hold(Group& group, const LogConsumer& consumer, bool takes,
                                         size_t share, absl::Duration now) {
  std::vector<size_t> mine;
  for (size_t i = 0; i < group.parts.size(); ++i) {
    Part& part = group.parts[i];
    if (part.holder != consumer.name) continue;
    if (mine.size() >= share && part.pending.empty()) {
      part.holder.clear();
    } else {
      mine.push_back(i);
    }
  }
  for (size_t i = 0; takes && i < group.parts.size() && mine.size() < share; ++i) {
    Part& part = group.parts[i];
    if (part.holder == consumer.name || (!part.holder.empty() && part.held_until >= now)) continue;
    part.holder = consumer.name;
    for (auto& [number, pending] : part.pending) pending.due = now;
    mine.push_back(i);
  }
  for (const size_t i : mine) group.parts[i].held_until = now + options_.stay;
  return mine;
}

void MemoryEventLog::HandOutAgain(Group& group, size_t index, const LogConsumer& consumer,
                                  uint32_t count, absl::Duration now, LogTaken& taken) {
  Part& part = group.parts[index];
  for (auto it = part.pending.begin(); it != part.pending.end();) {
    if (taken.deliveries.size() >= count) return;
    Pending& pending = it->second;
    if (pending.due > now) {
      ++it;
      continue;
    }
    if (pending.deliveries >= options_.deliveries_max) {
      const uint64_t id = ++group.last_dead;
      group.dead[id] = {.id = fmt::format("{}", id),
                        .entry = std::move(pending.entry),
                        .deliveries = pending.deliveries};
      if (group.dead.size() > ring_max_) group.dead.erase(group.dead.begin());
      ++taken.dead;
      it = part.pending.erase(it);
      continue;
    }
    ++pending.deliveries;
    pending.due = now + consumer.visibility;
    taken.deliveries.push_back({.receipt = fmt::format("{}:{}", index, it->first),
                                .entry = pending.entry,
                                .deliveries = pending.deliveries});
    ++it;
  }
}

void MemoryEventLog::HandOutFresh(Group& group, size_t index, const LogConsumer& consumer,
                                  uint32_t count, absl::Duration now, LogTaken& taken) {
  Part& part = group.parts[index];
  Ring& ring = RingOf(group, index);
  if (part.next < ring.first) {
    taken.lost += ring.first - part.next;
    group.lost += ring.first - part.next;
    part.next = ring.first;
  }
  for (; part.next < ring.end() && taken.deliveries.size() < count; ++part.next) {
    const LogEntry& entry = ring.entries[part.next - ring.first];
    part.pending[part.next] = {.entry = entry, .deliveries = 1, .due = now + consumer.visibility};
    taken.deliveries.push_back(
        {.receipt = fmt::format("{}:{}", index, part.next), .entry = entry, .deliveries = 1});
  }
  if (&ring != &group.again) return;
  for (; ring.first < part.next; ++ring.first) ring.entries.pop_front();  // of this group alone
}

uint64_t MemoryEventLog::SettleLocked(const LogConsumer& consumer,
                                      const LogSettlement& settlement) {
  Group* group = Find(consumer.group);
  const auto receipt = ParseReceipt(settlement.receipt);
  if (group == nullptr || !receipt.has_value() || receipt->first >= group->parts.size()) return 0;
  Part& part = group->parts[receipt->first];
  if (!settlement.again_after.has_value()) return part.pending.erase(receipt->second);
  const auto pending = part.pending.find(receipt->second);
  if (pending == part.pending.end() || part.holder != consumer.name) return 0;
  pending->second.due =
      clock_.Now().uptime + std::min(*settlement.again_after, consumer.visibility);
  return 1;
}

void MemoryEventLog::Settle(const LogConsumer& consumer, std::vector<LogSettlement> settlements,
                            Done<uint64_t> done) {
  if (!options_.on) return std::move(done)(EventLogOff());
  uint64_t settled = 0;
  {
    absl::MutexLock lock(&mutex_);
    for (const LogSettlement& one : settlements) settled += SettleLocked(consumer, one);
  }
  std::move(done)(settled);
}

void MemoryEventLog::Leave(const LogConsumer& consumer) {
  absl::MutexLock lock(&mutex_);
  Group* group = Find(consumer.group);
  if (group == nullptr) return;
  group->alive.erase(consumer.name);
  for (Part& part : group->parts) {
    if (part.holder == consumer.name) part.holder.clear();
  }
}

void MemoryEventLog::DeadLetters(const std::string& group, const std::string& cursor,
                                 uint32_t count, Done<DeadLettersPage> done) {
  if (!options_.on) return std::move(done)(EventLogOff());
  DeadLettersPage page;
  {
    absl::MutexLock lock(&mutex_);
    uint64_t after = 0;
    (void)absl::SimpleAtoi(cursor, &after);
    Group* found = Find(group);
    if (found != nullptr) {
      auto one = found->dead.upper_bound(after);
      for (; one != found->dead.end() && page.letters.size() < count; ++one) {
        page.letters.push_back(one->second);
      }
      if (one != found->dead.end() && !page.letters.empty()) {
        page.next_cursor = page.letters.back().id;
      }
    }
  }
  std::move(done)(std::move(page));
}

void MemoryEventLog::TakeDeadLetters(const std::string& group, const std::vector<std::string>& ids,
                                     bool again, Done<uint64_t> done) {
  if (!options_.on) return std::move(done)(EventLogOff());
  uint64_t taken = 0;
  {
    absl::MutexLock lock(&mutex_);
    Group* found = Find(group);
    for (const std::string& text : ids) {
      uint64_t id = 0;
      if (found == nullptr || !absl::SimpleAtoi(text, &id)) continue;
      const auto letter = found->dead.find(id);
      if (letter == found->dead.end()) continue;
      if (again) found->again.entries.push_back(std::move(letter->second.entry));
      found->dead.erase(letter);
      ++taken;
    }
  }
  std::move(done)(taken);
}

void MemoryEventLog::Groups(Done<LogGroups> done) {
  if (!options_.on) return std::move(done)(EventLogOff());
  LogGroups answer;
  {
    absl::MutexLock lock(&mutex_);
    const absl::Duration now = clock_.Now().uptime;
    answer.appended = appended_;
    for (auto& [name, group] : groups_) {
      LogGroup row = {.name = name, .dead = group.dead.size(), .lost = group.lost};
      for (size_t i = 0; i < group.parts.size(); ++i) {
        row.lag += RingOf(group, i).end() - group.parts[i].next;
        row.pending += group.parts[i].pending.size();
      }
      for (const auto& [consumer, until] : group.alive) row.consumers += until >= now ? 1 : 0;
      answer.groups.push_back(std::move(row));
    }
  }
  std::move(done)(std::move(answer));
}

void MemoryEventLog::DeleteGroup(const std::string& group, Done<bool> done) {
  if (!options_.on) return std::move(done)(EventLogOff());
  bool was = false;
  {
    absl::MutexLock lock(&mutex_);
    was = groups_.erase(group) > 0;
  }
  std::move(done)(was);
}

}  // namespace wsrouter
