#include "engine/envelope_seal.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kKeyIdBytesMax = 16;
constexpr size_t kHeadBytes = 1 + 1 + 1 + 3 * 8;  // without key id and server_id

void AppendNumber(std::string& to, uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) to.push_back(static_cast<char>(number >> shift));
}

void AppendText(std::string& to, std::string_view text) {
  to.push_back(static_cast<char>(text.size()));
  to.append(text);
}

// Takes what a message begins with off its front. Each gives nothing where there is less.
class Taker {
 public:
  explicit Taker(std::string_view octets) : rest_(octets) {}

  std::string_view rest() const { return rest_; }
  std::optional<std::string_view> Octets(size_t size) {
    if (rest_.size() < size) return std::nullopt;
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::optional<uint64_t> Number(size_t size) {
    const auto octets = Octets(size);
    if (!octets.has_value()) return std::nullopt;
    uint64_t number = 0;
    for (const char octet : *octets) number = number << 8 | static_cast<uint8_t>(octet);
    return number;
  }
  std::optional<std::string_view> Text() {
    const auto size = Number(1);
    return size.has_value() ? Octets(*size) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

absl::Status TooShort() {
  return absl::InvalidArgumentError("the message ends inside its header or proof");
}

}  // namespace

struct EnvelopeSeal::Parts {
  std::string_view key_id;
  NodeIdentity sender;
  uint64_t sequence;
  absl::Time at;
  std::string_view body;
  std::string_view proof;  // empty without a key id
};

EnvelopeSeal::EnvelopeSeal(NodeIdentity self, const std::vector<SealKey>& keys,
                           absl::Duration clock_skew_max)
    : self_(std::move(self)), clock_skew_max_(clock_skew_max) {
  proofs_.reserve(keys.size());
  for (const SealKey& key : keys) proofs_.emplace_back(key);
}

std::string EnvelopeSeal::Seal(std::string_view channel, std::string_view body, absl::Time now) {
  const std::string_view key_id = proofs_.empty() ? std::string_view() : proofs_.front().key_id();
  std::string message;
  message.reserve(kHeadBytes + key_id.size() + self_.server_id.size() + body.size() +
                  MessageProof::kBytes);
  message.push_back(static_cast<char>(kVersion));
  AppendText(message, key_id);
  AppendText(message, self_.server_id);
  AppendNumber(message, self_.incarnation);
  AppendNumber(message, ++last_sequence_);
  AppendNumber(message, static_cast<uint64_t>(absl::ToUnixMicros(now)));
  message.append(body);
  if (!proofs_.empty()) {
    const MessageProof::Octets proof = proofs_.front().Of(channel, message);
    message.append(reinterpret_cast<const char*>(proof.data()), proof.size());
  }
  return message;
}

absl::StatusOr<EnvelopeSeal::Parts> EnvelopeSeal::TakeApart(std::string_view message) {
  Taker taker(message);
  const auto version = taker.Number(1);
  if (!version.has_value()) return TooShort();
  if (*version != kVersion) {
    return absl::InvalidArgumentError(
        fmt::format("the message is of version {}, want {}", *version, kVersion));
  }
  const auto key_id = taker.Text();
  if (!key_id.has_value()) return TooShort();
  if (key_id->size() > kKeyIdBytesMax) {
    return absl::InvalidArgumentError(
        fmt::format("the key id has {} octets, want at most {}", key_id->size(), kKeyIdBytesMax));
  }
  const auto server_id = taker.Text();
  const auto incarnation = taker.Number(8);
  const auto sequence = taker.Number(8);
  const auto micros = taker.Number(8);
  const size_t proof_bytes = key_id->empty() ? 0 : MessageProof::kBytes;
  if (!server_id.has_value() || !incarnation.has_value() || !sequence.has_value() ||
      !micros.has_value() || taker.rest().size() < proof_bytes) {
    return TooShort();
  }
  if (!CheckName("server_id", *server_id).ok()) {
    return absl::InvalidArgumentError("the sender's server_id cannot be a name");
  }
  if (*sequence == 0) return absl::InvalidArgumentError("the sequence is 0, want 1 or more");
  const size_t body_bytes = taker.rest().size() - proof_bytes;
  return Parts{.key_id = *key_id,
               .sender = {.server_id = std::string(*server_id), .incarnation = *incarnation},
               .sequence = *sequence,
               .at = absl::FromUnixMicros(static_cast<int64_t>(*micros)),
               .body = taker.rest().substr(0, body_bytes),
               .proof = taker.rest().substr(body_bytes)};
}

absl::Status EnvelopeSeal::CheckProof(const Parts& parts, std::string_view channel,
                                      std::string_view message) {
  if (parts.key_id.empty()) return absl::UnauthenticatedError("the message carries no proof");
  const auto key = std::ranges::find(proofs_, parts.key_id, &MessageProof::key_id);
  if (key == proofs_.end()) {
    // Nobody proved anything yet: the id may be any octets.
    return absl::UnauthenticatedError("the message is under a key that this node does not have");
  }
  message.remove_suffix(parts.proof.size());
  if (!key->Proves(parts.proof, channel, message)) {
    return absl::UnauthenticatedError(fmt::format("the proof under key {} is wrong", parts.key_id));
  }
  return absl::OkStatus();
}

absl::Status EnvelopeSeal::CheckAge(const Parts& parts, absl::Time now) const {
  if (now - parts.at > clock_skew_max_) {
    return absl::UnauthenticatedError(
        fmt::format("the message is {:.3f} s old, want at most {:.3f}",
                    absl::ToDoubleSeconds(now - parts.at), absl::ToDoubleSeconds(clock_skew_max_)));
  }
  if (parts.at - now > clock_skew_max_) {
    return absl::UnauthenticatedError(
        fmt::format("the message is from {:.3f} s in the future, want at most {:.3f}",
                    absl::ToDoubleSeconds(parts.at - now), absl::ToDoubleSeconds(clock_skew_max_)));
  }
  return absl::OkStatus();
}

absl::StatusOr<EnvelopeSeal::Opened> EnvelopeSeal::Open(std::string_view channel,
                                                        std::string_view message, absl::Time now) {
  absl::StatusOr<Parts> parts = TakeApart(message);
  if (!parts.ok()) return parts.status();
  if (!proofs_.empty()) {
    absl::Status checked = CheckProof(*parts, channel, message);
    if (checked.ok()) checked = CheckAge(*parts, now);
    if (!checked.ok()) return checked;
  }
  if (absl::Status grown = sequences_.Admit(parts->sender, parts->sequence); !grown.ok()) {
    return grown;
  }
  return Opened{.sender = std::move(parts->sender), .body = parts->body};
}

absl::StatusOr<std::string_view> EnvelopeSeal::OpenKept(std::string_view channel,
                                                        std::string_view message) {
  const absl::StatusOr<Parts> parts = TakeApart(message);
  if (!parts.ok()) return parts.status();
  if (!proofs_.empty()) {
    absl::Status checked = CheckProof(*parts, channel, message);
    if (!checked.ok()) return checked;
  }
  return parts->body;
}

}  // namespace wsrouter
