#include "engine/own_codec.h"

#include <optional>

namespace wsrouter {
namespace {

constexpr WireEnum<OnDuplicate, wire::OnDuplicate, 3> kOnDuplicates = {{
    {OnDuplicate::kAllow, wire::ON_DUPLICATE_ALLOW},
    {OnDuplicate::kReplace, wire::ON_DUPLICATE_REPLACE},
    {OnDuplicate::kReject, wire::ON_DUPLICATE_REJECT},
}};

}  // namespace

void WriteOwn(const Own& own, wire::Own* to) {
  to->set_client(own.client.value);
  to->set_on_duplicate(ToWire(kOnDuplicates, own.on_duplicate));
  WriteRooms(own.rooms, to->mutable_rooms());
  WriteLabels(own.labels, to->mutable_labels());
  WritePatterns(own.may_join, to->mutable_may_join());
  if (own.expires_at.has_value()) WriteTime(*own.expires_at, to->mutable_expires_at());
}

Own ReadOwn(WireReader& reader, const wire::Own& from) {
  Own own = {
      .client = reader.ReadName<ClientId>("own.client", from.client()),
      .on_duplicate = reader.ReadEnum("own.on_duplicate", kOnDuplicates, from.on_duplicate()),
      .rooms = reader.ReadRooms("own.rooms", from.rooms()),
      .labels = reader.ReadLabels(from.labels()),
      .expires_at = std::nullopt,
      .may_join = reader.ReadPatterns("own.may_join", from.may_join())};
  if (from.has_expires_at()) own.expires_at = reader.ReadTime("own.expires_at", from.expires_at());
  return own;
}

}  // namespace wsrouter
