#ifndef WSROUTER_BASE_SCATTER_H_
#define WSROUTER_BASE_SCATTER_H_

#include <cstdint>

namespace wsrouter {

// Spreads what is alike over all of 64 bits (the finalizer of SplitMix64). For jitter and tables.
constexpr uint64_t Scatter(uint64_t value) {
  value += 0x9E3779B97F4A7C15;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

}  // namespace wsrouter

#endif  // WSROUTER_BASE_SCATTER_H_
