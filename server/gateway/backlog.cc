#include "gateway/backlog.h"

#include <algorithm>

namespace wsrouter {
namespace {

bool IsOpen(const Session& session) {
  return session.state == Session::State::kOpen || session.state == Session::State::kEcho;
}

}  // namespace

void Backlog::Add(Session& session, absl::Duration now) {
  Standing& standing = sessions_[&session];
  standing.since = now;
  if (standing.marks.empty() && !session.outbox.empty()) {
    standing.marks.push_back({session.outbox.next_number(), now});
  }
}

std::vector<Session*> Backlog::TooOld(absl::Duration now) {
  std::vector<Session*> too_old;
  if (now - looked_at_ < age_max_ / kLooks) return too_old;
  looked_at_ = now;
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    const auto at = it++;
    Session& session = *at->first;
    if (!IsOpen(session) || (!session.backlogged && session.outbox.empty())) {
      sessions_.erase(at);
      continue;
    }
    if (age_max_ == absl::ZeroDuration()) continue;
    Standing& standing = at->second;
    std::deque<Mark>& marks = standing.marks;
    const auto left = [&](const Mark& mark) {
      return static_cast<int32_t>(session.outbox.first_number() - mark.number) >= 0;
    };
    while (!marks.empty() && left(marks.front())) marks.pop_front();
    const bool in_socket = session.backlogged && now - standing.since >= age_max_;
    const bool in_outbox = !marks.empty() && now - marks.front().at >= age_max_;
    if (in_socket || in_outbox) {
      too_old.push_back(&session);
    } else if (!session.outbox.empty()) {
      marks.push_back({session.outbox.next_number(), now});
    }
  }
  return too_old;
}

std::vector<Session*> Backlog::ByOutbox() const {
  std::vector<Session*> sessions;
  for (const auto& [session, standing] : sessions_) {
    if (IsOpen(*session) && !session->outbox.empty()) sessions.push_back(session);
  }
  std::ranges::sort(sessions, {}, [](const Session* session) { return session->outbox.bytes(); });
  return sessions;
}

}  // namespace wsrouter
