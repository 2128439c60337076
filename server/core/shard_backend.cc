// What services decide about a connection: who it is from the start, and what its messages lead to.
#include <algorithm>
#include <memory>
#include <utility>

#include "core/error.h"
#include "core/shard.h"

namespace wsrouter {
namespace {

// Why something of an effect did not happen; OK: all did.
absl::Status FailureOf(const Receipt& receipt) {
  absl::Status failure = receipt.status;
  if (receipt.dropped_mailbox_full > 0) {
    failure.Update(Refusal(absl::StatusCode::kUnavailable, "OVERLOADED",
                           "a part of the node has too much to do"));
  }
  for (const RoomChange& change : receipt.rooms) failure.Update(change.refusal);
  return failure;
}

}  // namespace

ConnectionId Shard::Reserve(Connection& connection) {
  if (connection.counter == 0) connection.counter = ++last_counter_;
  return IdOf(connection);
}

void Shard::OnOpen(Connection& connection, const Own& own) {
  Begin(connection);
  Welcome(connection, own.client.value);
  connection.welcomed = true;
  const uint64_t counter = connection.counter;
  const auto sum = std::make_shared<ReceiptSum>(1, [this, post = post_, counter](Receipt receipt) {
    post([this, counter, receipt = std::move(receipt)] { OnAdmitted(counter, receipt); });
  });
  OnOwn(IdOf(connection), own, ReceiptPart(sum));
}

void Shard::OnAdmitted(uint64_t counter, const Receipt& receipt) {
  Connection* connection = registry_.Find(counter);
  if (connection == nullptr) return;
  absl::Status status = receipt.status;
  for (const RoomChange& change : receipt.rooms) status.Update(change.refusal);
  if (status.ok()) {
    OnResumed(*connection);
    if (!connection->closing) transport_.Admitted(*connection);  // else its socket has gone
    return;
  }
  const CloseCode code = absl::IsResourceExhausted(status) ? CloseCode::kCapacity
                         : absl::IsAlreadyExists(status)   ? CloseCode::kForbidden
                                                           : CloseCode::kTryAgainLater;
  Close(*connection, CloseCause::kRefused, code, ReasonOf(status));
}

void Shard::Ask(Connection& connection, client_frame::Message message) {
  transport_.Pause(connection);
  connection.asking = true;
  backend_->Message(
      {.connection = IdOf(connection),
       .client = connection.client == nullptr ? ClientId{} : connection.client->id,
       .handshake = connection.handshake,
       .opcode = message.opcode,
       .payload = std::move(message.payload),
       .rooms = RoomsOf(connection),
       .room = std::move(message.room)},
      [this, post = post_, counter = connection.counter](MessageAnswer answer) {
        post([this, counter, answer = std::make_shared<MessageAnswer>(std::move(answer))] {
          Apply(counter, answer, 0);
        });
      });
}

void Shard::Apply(uint64_t counter, const std::shared_ptr<MessageAnswer>& answer, size_t next) {
  // What the message led to happens also when its sender has gone meanwhile.
  if (next < answer->effects.size()) {
    Envelope& effect = answer->effects[next];
    if (CloseSender(counter, effect)) return Apply(counter, answer, next + 1);
    return broker_.Publish(std::move(effect),
                           [this, post = post_, counter, answer, next](Receipt receipt) {
                             post([this, counter, answer, next, failure = FailureOf(receipt)] {
                               OnApplied(counter, failure);
                               Apply(counter, answer, next + 1);
                             });
                           });
  }
  Acknowledge(counter, answer->reply);
  if (auto end = ends_untold_.extract(counter)) return std::move(end.mapped())();
  Connection* connection = registry_.Find(counter);
  if (connection == nullptr) return;
  connection->asking = false;
  transport_.Resume(*connection);
}

void Shard::OnApplied(uint64_t counter, const absl::Status& failure) {
  if (failure.ok()) return;
  counters_.Add(Counter::kEffectsFailed);
  const auto ack = acks_.find(counter);
  if (ack != acks_.end()) ack->second.failure.Update(failure);
}

bool Shard::CloseSender(uint64_t counter, const Envelope& effect) {
  const auto* disconnect = std::get_if<Disconnect>(&effect.action);
  const auto* id = std::get_if<ConnectionId>(&effect.to);
  if (disconnect == nullptr || id == nullptr) return false;
  if (*id != ConnectionId{.node = node_, .shard = index_, .counter = counter}) return false;
  if (Connection* connection = registry_.Find(counter); connection != nullptr) {
    Close(*connection, CloseCause::kDisconnected, static_cast<CloseCode>(disconnect->close.code),
          disconnect->close.reason);
  }
  return true;
}

void Shard::TellEnd(const ClientId& client, const Connection& connection,
                    const event::Disconnected& detail) {
  if (!backend_->Decides(connection.handshake->path)) return;
  if (book_.quiet.contains(connection.counter)) return;
  Event event = {
      .at = now_.wall, .connection = IdOf(connection), .client = client, .detail = detail};
  if (!connection.asking) return backend_->Disconnected(event, *connection.handshake);
  ends_untold_.emplace(connection.counter,
                       [this, event = std::move(event), handshake = connection.handshake] {
                         backend_->Disconnected(event, *handshake);
                       });
}

}  // namespace wsrouter
