// What services decide about a connection: who it is from the start, and what its messages lead to.
#include <memory>
#include <utility>

#include "core/error.h"
#include "core/shard.h"

namespace wsrouter {

ConnectionId Shard::Reserve(Connection& connection) {
  if (connection.counter == 0) connection.counter = ++last_counter_;
  return IdOf(connection);
}

void Shard::OnOpen(Connection& connection, const Own& own) {
  OnOpen(connection);
  const uint64_t counter = connection.counter;
  const auto sum = std::make_shared<ReceiptSum>(1, [this, counter](Receipt receipt) {
    post_([this, counter, receipt = std::move(receipt)] { OnAdmitted(counter, receipt); });
  });
  OnOwn(IdOf(connection), own, ReceiptPart(sum));
}

void Shard::OnAdmitted(uint64_t counter, const Receipt& receipt) {
  Connection* connection = registry_.Find(counter);
  if (connection == nullptr) return;
  absl::Status status = receipt.status;
  for (const RoomChange& change : receipt.rooms) status.Update(change.refusal);
  if (status.ok()) return transport_.Admitted(*connection);
  const CloseCode code = absl::IsResourceExhausted(status) ? CloseCode::kCapacity
                         : absl::IsAlreadyExists(status)   ? CloseCode::kForbidden
                                                           : CloseCode::kTryAgainLater;
  Close(*connection, CloseCause::kRefused, code, ReasonOf(status));
}

void Shard::Ask(Connection& connection, Opcode opcode, std::string payload) {
  transport_.Pause(connection);
  connection.asking = true;
  backend_->Message(
      {.connection = IdOf(connection),
       .client = connection.client == nullptr ? ClientId{} : connection.client->id,
       .handshake = connection.handshake,
       .opcode = opcode,
       .payload = std::move(payload),
       .rooms = RoomsOf(connection)},
      [this, counter = connection.counter](Effects effects) {
        post_([this, counter, effects = std::make_shared<Effects>(std::move(effects))] {
          Apply(counter, effects, 0);
        });
      });
}

void Shard::Apply(uint64_t counter, const std::shared_ptr<Effects>& effects, size_t next) {
  // What the message led to happens also when its sender has gone meanwhile.
  if (next < effects->size()) {
    return broker_.Publish(
        std::move((*effects)[next]), [this, counter, effects, next](const Receipt& receipt) {
          if (!receipt.status.ok()) counters_.Add(Counter::kEffectsFailed);
          post_([this, counter, effects, next] { Apply(counter, effects, next + 1); });
        });
  }
  if (auto end = ends_untold_.extract(counter)) return std::move(end.mapped())();
  Connection* connection = registry_.Find(counter);
  if (connection == nullptr) return;
  connection->asking = false;
  transport_.Resume(*connection);
}

void Shard::TellEnd(const ClientId& client, const Connection& connection,
                    const event::Disconnected& detail) {
  if (!backend_->Decides(connection.handshake->path)) return;
  Event event = {
      .at = now_.wall, .connection = IdOf(connection), .client = client, .detail = detail};
  if (!connection.asking) return backend_->Disconnected(event, *connection.handshake);
  ends_untold_.emplace(connection.counter,
                       [this, event = std::move(event), handshake = connection.handshake] {
                         backend_->Disconnected(event, *handshake);
                       });
}

}  // namespace wsrouter
