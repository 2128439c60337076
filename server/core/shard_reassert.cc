// The shard tells the directory again what it knows, because the directory forgot it or may have:
// what is in the shards' memory is the truth, the directory is a copy.
#include <utility>

#include "core/shard.h"

namespace wsrouter {
namespace {

// Bounds the pause of everybody else on the shard.
constexpr size_t kReassertedPerTurn = 256;

}  // namespace

// A walk over all connections; whoever gives up its last reference answers.
struct Shard::Reasserting {
  explicit Reasserting(ReceiptPart answer) : part(std::move(answer)) {}
  ~Reasserting() { part.Finish(std::move(receipt)); }

  ReceiptPart part;
  Receipt receipt;
};

// A part of the walk whose answers are awaited together, so that the directory is never owed more
// of them than it gives in time; whoever gives up its last reference lets the walk go on.
struct Shard::ReassertedSlice {
  ReassertedSlice(Shard* owner, PostTask post_task, std::shared_ptr<Reasserting> whole)
      : shard(owner), post(std::move(post_task)), walk(std::move(whole)) {}
  ~ReassertedSlice() {
    if (!more || !walk->receipt.status.ok()) return;
    post([shard = shard, last = last, walk = walk] { shard->ReassertSome(last, walk); });
  }

  Shard* const shard;
  const PostTask post;
  const std::shared_ptr<Reasserting> walk;
  uint64_t last = 0;
  bool more = false;
};

void Shard::OnReassert(ReceiptPart part) {
  ReassertSome(0, std::make_shared<Reasserting>(std::move(part)));
}

void Shard::ReassertSome(uint64_t after, const std::shared_ptr<Reasserting>& walk) {
  const auto& all = registry_.connections();
  auto next = all.upper_bound(after);
  const auto slice = std::make_shared<ReassertedSlice>(this, post_, walk);
  for (size_t i = 0; i < kReassertedPerTurn && next != all.end(); ++i, ++next) {
    const uint64_t counter = slice->last = next->first;
    const Connection& connection = *next->second;
    if (connection.client == nullptr) continue;
    ++walk->receipt.matched;
    book_.Changed(counter);
    directory_.Assert(IdOf(connection), connection.client->id, connection.on_duplicate,
                      connection.labels == nullptr ? Labels{} : *connection.labels,
                      RoomsOf(connection),
                      [this, post = post_, counter, slice](absl::StatusOr<bool> kept) {
                        post([this, counter, slice, kept = std::move(kept)] {
                          absl::Status& status = slice->walk->receipt.status;
                          if (status.ok()) status = kept.status();
                          OnAsserted(counter, kept);
                        });
                      });
  }
  slice->more = next != all.end();
}

void Shard::OnAsserted(uint64_t counter, const absl::StatusOr<bool>& kept) {
  if (kept.value_or(true)) return;
  Connection* connection = registry_.Find(counter);
  if (connection == nullptr || connection->client == nullptr) return;
  Close(*connection, CloseCause::kSuperseded, CloseCode::kSuperseded,
        "a newer connection of the same client took over");
}

}  // namespace wsrouter
