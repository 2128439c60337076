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

void Shard::OnReassert(ReceiptPart part) {
  ReassertSome(0, std::make_shared<Reasserting>(std::move(part)));
}

void Shard::ReassertSome(uint64_t after, const std::shared_ptr<Reasserting>& walk) {
  const auto& all = registry_.connections();
  auto next = all.upper_bound(after);
  for (size_t i = 0; i < kReassertedPerTurn && next != all.end(); ++i, ++next) {
    after = next->first;
    const Connection& connection = *next->second;
    if (connection.client == nullptr) continue;
    ++walk->receipt.matched;
    directory_.Assert(IdOf(connection), connection.client->id, connection.on_duplicate,
                      RoomsOf(connection), [this, after, walk](absl::StatusOr<bool> kept) {
                        post_([this, after, walk, kept = std::move(kept)] {
                          if (walk->receipt.status.ok()) walk->receipt.status = kept.status();
                          OnAsserted(after, kept);
                        });
                      });
  }
  if (next != all.end()) post_([this, after, walk] { ReassertSome(after, walk); });
}

void Shard::OnAsserted(uint64_t counter, const absl::StatusOr<bool>& kept) {
  if (kept.value_or(true)) return;
  Connection* connection = registry_.Find(counter);
  if (connection == nullptr || connection->client == nullptr) return;
  Close(*connection, CloseCause::kSuperseded, CloseCode::kSuperseded,
        "a newer connection of the same client took over");
}

}  // namespace wsrouter
