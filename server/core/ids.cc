#include "core/ids.h"

#include <charconv>

#include "base/utf8.h"
#include "core/error.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

// Takes the last dot and what follows it off `text`: exactly the text that formatting the number
// in hexadecimal with at least `digits` digits gives.
template <typename Number>
bool TakeHex(std::string_view& text, int digits, Number& number) {
  const size_t dot = text.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view hex = text.substr(dot + 1);
  text = text.substr(0, dot);
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), number, 16);
  return error == std::errc() && end == hex.data() + hex.size() &&
         hex == fmt::format("{:0{}x}", number, digits);
}

}  // namespace

std::string ConnectionId::ToString() const {
  return fmt::format("{}.{:016x}.{:02x}.{:x}", node.server_id, node.incarnation, shard, counter);
}

std::optional<ConnectionId> ConnectionId::Parse(std::string_view text) {
  ConnectionId id;
  if (!TakeHex(text, 1, id.counter) || !TakeHex(text, 2, id.shard) ||
      !TakeHex(text, 16, id.node.incarnation) || text.empty()) {
    return std::nullopt;
  }
  id.node.server_id = text;
  return id;
}

absl::Status CheckName(std::string_view field, std::string_view name) {
  const auto refuse = [](std::string_view reason, std::string message) {
    return Refusal(absl::StatusCode::kInvalidArgument, reason, message);
  };
  if (name.empty()) return refuse("FIELD_MISSING", fmt::format("{} is empty", field));
  if (name.size() > kNameBytesMax) {
    return refuse("FIELD_TOO_LONG", fmt::format("{} has {} octets, want at most {}", field,
                                                name.size(), kNameBytesMax));
  }
  for (size_t i = 0; i < name.size();) {
    const size_t size = Utf8Sequence(name.substr(i));
    if (size == 0) {
      return refuse("FIELD_INVALID", fmt::format("{} is not UTF-8 at octet {}", field, i));
    }
    if (IsControl(name.substr(i, size))) {
      return refuse("FIELD_INVALID",
                    fmt::format("{} has a control character at octet {}", field, i));
    }
    i += size;
  }
  return absl::OkStatus();
}

}  // namespace wsrouter
