#ifndef WSROUTER_TESTS_BENCH_READERS_H_
#define WSROUTER_TESTS_BENCH_READERS_H_

#include <sys/types.h>

#include <atomic>
#include <cstdint>

namespace wsrouter {

// Clients that only read, and answer Pings, in a process of their own on the second core, so that
// their cost is not the server's. Create before any thread.
class Readers {
 public:
  Readers();
  ~Readers();
  Readers(const Readers&) = delete;

  // Opens `count` more connections to 127.0.0.1:port; as WebSockets on /ws, or plain TCP. Returns
  // when all of them are open.
  void Open(uint16_t port, uint32_t count, bool websocket);
  // Ends all of them.
  void CloseAll();

  // Octets that have come in so far, upgrade answers left out.
  uint64_t octets() const { return shared_->octets.load(std::memory_order_acquire); }
  // Waits until that is at least `octets`; looks often enough for a benchmark, and costs little.
  void AwaitOctets(uint64_t octets) const;

 private:
  struct Shared {
    std::atomic<uint64_t> octets;
  };

  [[noreturn]] void Serve(int commands);

  Shared* shared_;
  int commands_ = -1;
  pid_t process_ = -1;
};

// A blocking socket to 127.0.0.1:port; upgraded to a WebSocket on /ws if `websocket`.
int ConnectTo(uint16_t port, bool websocket);
inline int ConnectWebSocket(uint16_t port) { return ConnectTo(port, true); }

// Lets this process and its children have as many descriptors as they may.
void RaiseDescriptorLimit();

// Binds the calling thread, and the threads that it starts, to one core.
void PinTo(int core);

// User and system time of this process, in microseconds.
double CpuMicroseconds();

// Resident memory of this process, in octets.
uint64_t ResidentBytes();

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_BENCH_READERS_H_
