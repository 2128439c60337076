#ifndef WSROUTER_BASE_RANDOM_H_
#define WSROUTER_BASE_RANDOM_H_

#include <cstdint>
#include <random>

namespace wsrouter {

// From the system's generator. For what must differ between processes and is no secret.
inline uint64_t RandomSeed() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace wsrouter

#endif  // WSROUTER_BASE_RANDOM_H_
