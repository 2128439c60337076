#include "control/checks.h"

#include "base/utf8.h"
#include "control/errors.h"
#include "core/close_code.h"
#include "core/limits.h"

namespace wsrouter {
namespace {

// `text` is UTF-8: the parser of the request saw to it.
bool HasControlCharacter(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (IsControl(text.substr(i))) return true;
  }
  return false;
}

bool IsTimestamp(const google::protobuf::Timestamp& timestamp) {
  constexpr int64_t kYear1 = -62135596800;
  constexpr int64_t kYear9999 = 253402300799;
  return timestamp.seconds() >= kYear1 && timestamp.seconds() <= kYear9999 &&
         timestamp.nanos() >= 0 && timestamp.nanos() <= 999'999'999;
}

}  // namespace

absl::Status Checks::CheckField(std::string_view field, std::string_view text) {
  return InField(CheckName(field, text), field);
}

bool Checks::CheckSize(std::string_view field, int size, int max) {
  if (size <= max) return true;
  Fail(
      BadField(field, "TOO_MANY_ITEMS", fmt::format("has {} entries, want at most {}", size, max)));
  return false;
}

// The place is written down only for what is refused.
bool Checks::CheckItem(std::string_view field, int index, std::string_view text) {
  if (!CheckName(field, text).ok()) Fail(CheckField(fmt::format("{}[{}]", field, index), text));
  return ok();
}

void Checks::FailMissing(std::string_view field, std::string_view what) {
  Fail(BadField(field, "FIELD_MISSING", what));
}

std::optional<ConnectionId> Checks::Connection(std::string_view field, const std::string& text) {
  Fail(CheckField(field, text));
  return ConnectionId::Parse(text);
}

std::vector<ConnectionId> Checks::Connections(std::string_view field, const Names& texts) {
  std::vector<ConnectionId> ids;
  if (!CheckSize(field, texts.size(), kNamesMax)) return ids;
  for (int i = 0; i < texts.size() && CheckItem(field, i, texts[i]); ++i) {
    auto id = ConnectionId::Parse(texts[i]);
    if (id.has_value()) ids.push_back(*std::move(id));
  }
  return ids;
}

FramePtr Checks::Payload(const v1::Payload& payload, size_t bytes_max) {
  const bool text = payload.data_case() == v1::Payload::kText;
  if (payload.data_case() == v1::Payload::DATA_NOT_SET) {
    FailMissing("payload", "has neither text nor binary");
    return nullptr;
  }
  const std::string& octets = text ? payload.text() : payload.binary();
  if (octets.size() > bytes_max) {
    Fail(BadField(text ? "payload.text" : "payload.binary", "PAYLOAD_TOO_LARGE",
                  fmt::format("has {} octets, want at most {} (limits.payload_bytes_max)",
                              octets.size(), bytes_max)));
  }
  if (!ok()) return nullptr;
  return Frame::Make(text ? Opcode::kText : Opcode::kBinary, octets);
}

std::string Checks::ConflationKey(std::string_view field, const std::string& key) {
  if (key.size() > kConflationKeyBytesMax) {
    Fail(BadField(
        field, "FIELD_TOO_LONG",
        fmt::format("has {} octets, want at most {}", key.size(), kConflationKeyBytesMax)));
  }
  if (HasControlCharacter(key)) Fail(BadField(field, "FIELD_INVALID", "has a control character"));
  return key;
}

Labels Checks::LabelMap(const google::protobuf::Map<std::string, std::string>& labels) {
  Labels checked;
  if (!CheckSize("labels", static_cast<int>(labels.size()), int{kLabelsMax})) return checked;
  for (const auto& [key, value] : labels) {
    if (key.empty()) FailMissing("labels", "has an empty key");
    if (key.size() + value.size() > kLabelBytesMax) {
      Fail(BadField("labels", "FIELD_TOO_LONG",
                    fmt::format("has a key and value of {} octets together, want at most {}",
                                key.size() + value.size(), kLabelBytesMax)));
    }
    if (HasControlCharacter(key) || HasControlCharacter(value)) {
      Fail(BadField("labels", "FIELD_INVALID", "has a control character"));
    }
    checked.emplace(key, value);
  }
  return checked;
}

std::optional<absl::Time> Checks::Expiry(const google::protobuf::Timestamp& timestamp,
                                         absl::Time now) {
  if (!IsTimestamp(timestamp)) {
    Fail(BadField("expires_at", "FIELD_INVALID", "is no time of the years 1 to 9999"));
    return std::nullopt;
  }
  const absl::Time at =
      absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(int64_t{timestamp.nanos()});
  if (at <= now) Fail(BadField("expires_at", "FIELD_INVALID", "is in the past"));
  return at;
}

CloseWith Checks::Closing(std::string_view prefix, uint32_t code, const std::string& reason) {
  if (code == 0) code = static_cast<uint32_t>(CloseCode::kDisconnected);
  if (!MayCloseWith(code)) {
    Fail(BadField(fmt::format("{}code", prefix), "FIELD_OUT_OF_RANGE",
                  fmt::format("is {}, want 1000, 1001, 1008, 1011 to 1013 or 3000 to 4999", code)));
  }
  if (reason.size() > kCloseReasonBytesMax) {
    Fail(BadField(
        fmt::format("{}reason", prefix), "FIELD_TOO_LONG",
        fmt::format("has {} octets, want at most {}", reason.size(), kCloseReasonBytesMax)));
  }
  return {.code = static_cast<uint16_t>(code), .reason = reason};
}

uint32_t Checks::PageCount(uint32_t count, std::string_view field, uint32_t max) {
  if (count > max) {
    Fail(BadField(field, "FIELD_OUT_OF_RANGE", fmt::format("is {}, want at most {}", count, max)));
  }
  return count == 0 ? kPageDefault : count;
}

OnDuplicate Checks::Duplicates(std::string_view field, v1::OnDuplicate on_duplicate) {
  Known(field, v1::OnDuplicate_IsValid(on_duplicate));
  switch (on_duplicate) {
    case v1::ON_DUPLICATE_REPLACE:
      return OnDuplicate::kReplace;
    case v1::ON_DUPLICATE_REJECT:
      return OnDuplicate::kReject;
    default:
      return OnDuplicate::kAllow;
  }
}

void Checks::Known(std::string_view field, bool known) {
  if (!known) Fail(BadField(field, "FIELD_INVALID", "is a value that this node does not know"));
}

}  // namespace wsrouter
