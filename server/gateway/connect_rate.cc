#include "gateway/connect_rate.h"

#include <algorithm>
#include <bit>
#include <span>

#include "base/scatter.h"

namespace wsrouter {

ConnectRate::ConnectRate(TokenRate rate, uint64_t seed, size_t addresses_max)
    : rate_(rate),
      seed_(seed),
      entries_max_(std::max(addresses_max / kPlaces, size_t{1}) * kPlaces) {
  SetRate(rate);
}

void ConnectRate::SetRate(TokenRate rate) {
  rate_ = rate;
  if (rate.on() && entries_.empty()) entries_.resize(entries_max_);
}

bool ConnectRate::Take(const AddressKey& address, absl::Duration uptime) {
  if (!rate_.on()) return true;
  const uint64_t scattered = Scatter(std::bit_cast<uint64_t>(address) ^ seed_);
  const std::span<Entry> places(entries_.data() + scattered % (entries_.size() / kPlaces) * kPlaces,
                                kPlaces);
  auto entry = std::ranges::find(places, address, &Entry::address);
  if (entry == places.end()) {
    entry = std::ranges::min_element(places, {}, &Entry::full_at);
    *entry = {.address = address};
  }
  return rate_.Take(entry->full_at, uptime);
}

}  // namespace wsrouter
