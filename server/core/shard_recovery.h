#ifndef WSROUTER_CORE_SHARD_RECOVERY_H_
#define WSROUTER_CORE_SHARD_RECOVERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "base/strings.h"
#include "core/history.h"
#include "core/history_reads.h"
#include "core/shard.h"

namespace wsrouter {

// Members of wsrouter.v1.json that catch up with rooms that keep a history, so that what they get
// of a room is what it was sent, each once and in order, wherever a connection broke off.
//
// Meanwhile the member is *held* in that room: no live push to it is queued for that member. What
// the history keeps comes from there, page by page, each when the one before has left the outbox.
// When a page reaches what was last pushed, the live pushes that wait behind it follow, and the
// hold ends; live copies of what was replayed are thrown away should they come later.
//
// It rests on this: a hold begins before it is awaited that pushes to the room reach this shard,
// and a read that is begun behind that has all that was pushed before. The broker hands over the
// pushes to a room in the order of their offsets.
//
// Bounds: a hold for each membership at most; of live pushes kWaitingMax a hold and
// kWaitingOctetsMax altogether (those that history keeps are read again; others are lost, counted
// and told by a gap); of replayed frames kReplayOctets in an outbox; of reads what HistoryReads
// says.
class Shard::Recovery {
 public:
  // Tells who asked for the membership that it is there, or why it cannot be told.
  using Answer = absl::AnyInvocable<void(const absl::Status&) &&>;

  static constexpr uint32_t kPageEntries = 256;
  static constexpr size_t kReplayOctets = size_t{128} << 10;
  static constexpr size_t kWaitingMax = 256;
  static constexpr size_t kWaitingOctetsMax = size_t{32} << 20;
  // How long a client that came back may take to say what it has had, and how long history may
  // be away during a replay.
  static constexpr absl::Duration kPatience = absl::Seconds(10);
  static constexpr absl::Duration kReadAgain = absl::Seconds(1);
  // How late a copy may come. The broker's line would be found dead before that.
  static constexpr absl::Duration kCopiesCome = absl::Seconds(60);

  Recovery(Shard& shard, History* history);

  // Of a client that has come back: it is a member again. Holds it until its Join says what it has
  // had, or tells of the gap where there is no history.
  void Await(Connection& connection, const RoomName& room);

  // A client's Join made it a member, or found it one. Holds it where there is something to read.
  void Begin(Connection& connection, const RoomName& room, RoomChange::Result result,
             const PendingRooms& join);
  // That membership is live. False where nothing is to be read: the caller tells the client.
  bool Read(Connection& connection, const RoomName& room, Answer& answer);

  // A live push to a connection that is `held` in some room. True where it is not to be queued.
  bool Keep(Connection& connection, const Topic& to, Push& push);
  // Likewise what tells that the push leaves it out.
  bool KeepLeftOut(Connection& connection, const Topic& to, Push& push);
  // The outbox of such a connection is empty.
  void OnDrained(Connection& connection);
  // The membership ends, or all of them.
  void Forget(Connection& connection, const RoomName& room);
  void Forget(Connection& connection);
  // Lets what is due happen, soon.
  void EndTurn();

 private:
  struct Waiting {
    FrameRef frame;
    Position position;
    bool left_out = false;  // it tells of a push, and has none
  };
  struct Hold {
    enum class State : uint8_t {
      kAwaited,   // its Join is to say what the client has had; until `due`
      kJoining,   // its membership is not live yet
      kReading,   // a page was asked for
      kDraining,  // the next page is asked for when the outbox is empty
      kUnread,    // likewise at `due`: history was away
      kCaughtUp,  // live pushes up to `at` are copies; until `due`
    };

    uint64_t counter;
    RoomName room;
    State state = State::kAwaited;
    uint64_t turn = 0;  // grows with each state; tells an answer to it from an older one
    absl::Duration due = absl::InfiniteDuration();
    // Of its Join.
    std::optional<Position> since = {};
    std::string id = {};
    Answer answer = {};     // until the client was told
    bool owes_gap = false;  // nobody knows what it has had

    Position at = {};  // the last that it has had
    uint32_t limit = kPageEntries;
    absl::Duration give_up = absl::InfiniteDuration();  // when history is away
    Position seen = {};                                 // the last live one that is kept
    Position missing = {};       // the last of those that do not wait, but are to be read
    Position missing_then = {};  // ... when the page was asked for
    std::vector<Waiting> waiting = {};
    uint64_t lost = 0;                          // live ones that history does not keep
    std::optional<ConnectionId> previous = {};  // of a client that has come back
  };

  // Whether who is at `at` has had `position`.
  static bool Covers(const Position& at, const Position& position) {
    return position.epoch == at.epoch && position.offset <= at.offset;
  }

  bool KeepsHistory(const RoomName& room) const;
  Hold* Find(uint64_t counter, std::string_view room);
  Hold* HoldIn(const Connection& connection, const Topic& to);
  // What becomes of a live push. Ends a hold where no copy can come any more.
  enum class Live : uint8_t { kGoesOn, kCopy, kWaits };
  Live Judge(Connection& connection, Hold* hold, const Position& position);
  void Wait(Hold& hold, Waiting push);
  void Enter(Hold& hold, Hold::State state, absl::Duration within = absl::InfiniteDuration());
  void End(Connection& connection, Hold& hold);
  void Ask(Hold& hold);
  void OnDue();
  // Ends it with a gap.
  void GiveUp(Connection& connection, Hold& hold);
  // Makes room among what waits.
  void Shed(Hold& hold);
  void DropWaiting(Hold& hold, size_t first, size_t count);

  // shard_replay.cc
  void OnPage(const RoomName& room, const HistoryReads::Reader& reader,
              absl::StatusOr<ReplayPage>& page);
  void OnRead(Connection& connection, Hold& hold, ReplayPage& replay);
  void OnUnread(Connection& connection, Hold& hold, const absl::Status& status);
  void TellJoined(Connection& connection, Hold& hold, const std::optional<JoinedAt>& at);
  void TellGap(Connection& connection, const Hold& hold, uint64_t count);
  // Queues what the page has. False when the outbox has no room for all of it.
  bool Replay(Connection& connection, Hold& hold, ReplayPage& replay);
  bool IsLeftOut(const HistoryEntry& entry, const Connection& connection, const Hold& hold) const;
  bool Put(Connection& connection, const FrameRef& frame, bool left_out);
  // Whether a page is asked for, since the member has not had all up to there.
  bool ReadsTo(Connection& connection, Hold& hold, const Position& last);
  // Nothing more is to be read: what waits follows, and the hold ends.
  void CatchUp(Connection& connection, Hold& hold);

  Shard& shard_;
  History* const history_;
  HistoryReads reads_;
  uint64_t turns_ = 0;
  size_t waiting_octets_ = 0;
  bool due_posted_ = false;
  absl::flat_hash_map<uint64_t, StringMap<Hold>> holds_;  // by connection, by room
  absl::btree_map<std::pair<absl::Duration, uint64_t>, std::pair<uint64_t, RoomName>> due_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CORE_SHARD_RECOVERY_H_
