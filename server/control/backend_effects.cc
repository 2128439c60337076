// What the answer to a message means to the core: its effects, and its reply.
#include <memory>
#include <utility>

#include "base/strings.h"
#include "control/backend_convert.h"
#include "control/checks.h"
#include "control/errors.h"
#include "control/read_push.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// Reads effects, one behind the other, into envelopes.
class EffectReader {
 public:
  EffectReader(const ConnectionId& connection, size_t payload_bytes_max, absl::Time now)
      : connection_(connection), payload_bytes_max_(payload_bytes_max), now_(now) {}

  void Read(const v1::Effect& effect) {
    switch (effect.effect_case()) {
      case v1::Effect::kSend:
        return Add(connection_, Deliver{.frame = checks.Payload(effect.send(), payload_bytes_max_),
                                        .slow_consumer = {},
                                        .except = {}});
      case v1::Effect::kPush:
        return Push(effect.push());
      case v1::Effect::kSendToClient:
        return Add(checks.Required<ClientId>("client_id", effect.send_to_client().client_id()),
                   ReadDeliver(checks, effect.send_to_client(), payload_bytes_max_),
                   Receipts::kRouted, {effect.send_to_client().from_client_id()});
      case v1::Effect::kJoin:
        return Add(connection_,
                   Join{checks.NonEmptyList<RoomName>("rooms", effect.join().rooms())});
      case v1::Effect::kLeave:
        return Add(connection_,
                   Leave{checks.NonEmptyList<RoomName>("rooms", effect.leave().rooms())});
      case v1::Effect::kOwn:
        if (!effect.own().connection_id().empty()) {
          checks.Fail(BadField("connection_id", "FIELD_INVALID", "is set, want it empty"));
        }
        return Add(connection_, ReadOwn(checks, effect.own(), now_));
      case v1::Effect::kDisconnect:
        return Add(connection_, Disconnect{checks.Closing("", effect.disconnect().code(),
                                                          effect.disconnect().reason())});
      default:
        return checks.FailMissing("effect", "is not set");
    }
  }

  Checks checks;
  Effects effects;

 private:
  void Add(Topic to, Action action, Receipts receipts = Receipts::kRouted, ClientId from = {},
           std::shared_ptr<const Keep> keep = nullptr) {
    effects.push_back({.to = std::move(to),
                       .action = std::move(action),
                       .receipts = receipts,
                       .from = std::move(from),
                       .keep = std::move(keep)});
  }

  void Push(const v1::PushRequest& push) {
    const std::vector<RoomName> rooms = ReadRooms(checks, push);
    Deliver deliver = ReadDeliver(checks, push, payload_bytes_max_);
    ReadExceptions(checks, push, deliver);
    const auto keep = ReadKeep(checks, push);
    for (const RoomName& room : rooms) {
      Add(room, deliver, Receipts::kLocal, {push.from_client_id()}, keep);
    }
  }

  const ConnectionId& connection_;
  const size_t payload_bytes_max_;
  const absl::Time now_;
};

}  // namespace

absl::StatusOr<MessageAnswer> ReadAnswer(const v1::MessageResponse& response,
                                         const ConnectionId& connection, size_t payload_bytes_max,
                                         absl::Time now) {
  if (response.effects_size() > kEffectsMax) {
    return BadField(
        "effects", "TOO_MANY_ITEMS",
        fmt::format("has {} entries, want at most {}", response.effects_size(), kEffectsMax));
  }
  EffectReader reader(connection, payload_bytes_max, now);
  for (int i = 0; i < response.effects_size(); ++i) {
    const v1::Effect& effect = response.effects(i);
    reader.Read(effect);
    if (effect.has_disconnect() && i + 1 < response.effects_size()) {
      reader.checks.Fail(BadField("effects", "FIELD_INVALID", "go on behind a disconnect"));
    }
    if (!reader.checks.ok()) {
      const absl::Status& wrong = reader.checks.status();
      return Refusal(wrong.code(), ReasonOf(wrong),
                     fmt::format("effects[{}]: {}", i, StdView(wrong.message())));
    }
  }
  MessageAnswer answer(std::move(reader.effects));
  if (response.has_reply()) {
    answer.reply = reader.checks.Payload(response.reply(), payload_bytes_max);
    const absl::Status& wrong = reader.checks.status();
    if (!wrong.ok()) {
      return Refusal(wrong.code(), ReasonOf(wrong),
                     fmt::format("reply: {}", StdView(wrong.message())));
    }
  }
  return answer;
}

}  // namespace wsrouter
