#ifndef WSROUTER_CONTROL_CHECKS_H_
#define WSROUTER_CONTROL_CHECKS_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "core/envelope.h"
#include "core/frame.h"
#include "core/ids.h"
#include "core/limits.h"
#include "fmt/format.h"
#include "google/protobuf/map.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "google/protobuf/timestamp.pb.h"
#include "wsrouter/v1/router.pb.h"

namespace wsrouter {

inline constexpr int kNamesMax = 1000;    // names in one list of a request
inline constexpr int kPatternsMax = 32;   // of rooms that a client may join by itself
inline constexpr int kChannelsMax = 100;  // channels of one Subscribe

// Reads a request field by field into the core's types. What is wrong is remembered once, the
// first time, with the field's name; the values read after that are of no use.
class Checks {
 public:
  using Names = google::protobuf::RepeatedPtrField<std::string>;

  const absl::Status& status() const { return status_; }
  bool ok() const { return status_.ok(); }
  void Fail(absl::Status status) {
    if (status_.ok()) status_ = std::move(status);
  }

  // A client id, room or channel.
  template <typename Name>
  Name Required(std::string_view field, const std::string& text) {
    Fail(CheckField(field, text));
    return Name{text};
  }
  template <typename Name>
  std::optional<Name> Optional(std::string_view field, const std::string& text) {
    if (text.empty()) return std::nullopt;
    return Required<Name>(field, text);
  }
  // Each name once, in the order of their first place.
  template <typename Name>
  std::vector<Name> List(std::string_view field, const Names& texts, int max = kNamesMax) {
    std::vector<Name> names;
    absl::flat_hash_set<Name> seen;
    if (!CheckSize(field, texts.size(), max)) return names;
    for (int i = 0; i < texts.size() && CheckItem(field, i, texts[i]); ++i) {
      Name name{texts[i]};
      if (seen.insert(name).second) names.push_back(std::move(name));
    }
    return names;
  }
  template <typename Name>
  std::vector<Name> NonEmptyList(std::string_view field, const Names& texts, int max = kNamesMax) {
    if (texts.empty()) FailMissing(field, "is empty, want at least one");
    return List<Name>(field, texts, max);
  }

  // Absent without a failure where the text can be no connection's id.
  std::optional<ConnectionId> Connection(std::string_view field, const std::string& text);
  // Those that are no connection's id are left out.
  std::vector<ConnectionId> Connections(std::string_view field, const Names& texts);

  FramePtr Payload(const v1::Payload& payload, size_t bytes_max);
  std::vector<std::string> Patterns(std::string_view field, const Names& texts) {
    std::vector<std::string> patterns;
    for (RoomName& one : List<RoomName>(field, texts, kPatternsMax)) {
      patterns.push_back(std::move(one.value));
    }
    return patterns;
  }
  std::string ConflationKey(std::string_view field, const std::string& key);
  Labels LabelMap(const google::protobuf::Map<std::string, std::string>& labels);
  std::optional<absl::Time> Expiry(const google::protobuf::Timestamp& timestamp, absl::Time now);
  // `prefix` goes before the names of the fields: "close." where they are in a message of their
  // own.
  CloseWith Closing(std::string_view prefix, uint32_t code, const std::string& reason);
  uint32_t PageCount(uint32_t count, std::string_view field = "count", uint32_t max = kPageMax);
  OnDuplicate Duplicates(std::string_view field, v1::OnDuplicate on_duplicate);
  // A value that the enum has. Proto3 hands on numbers that it has no name for.
  void Known(std::string_view field, bool known);
  void FailMissing(std::string_view field, std::string_view what);

 private:
  static absl::Status CheckField(std::string_view field, std::string_view text);
  bool CheckSize(std::string_view field, int size, int max);
  bool CheckItem(std::string_view field, int index, std::string_view text);

  absl::Status status_;
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_CHECKS_H_
