#ifndef WSROUTER_TESTS_BENCH_PRESSURE_NODE_H_
#define WSROUTER_TESTS_BENCH_PRESSURE_NODE_H_

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace wsrouter {

struct NodePorts {
  uint16_t gateway;
  uint16_t control;
  uint16_t admin;
};

// A child that is killed at the end of this, and that dies with its parent. Made by fork, so its
// parent must have no threads: what has some (a node, gRPC) is run in a child.
class Child {
 public:
  // Runs `body` in a process on that core. Returns when the body has said that it is set up, by
  // writing to the descriptor that it is given: one octet, or what Read is to return.
  Child(int core, const std::function<void(int ready)>& body);
  ~Child();
  Child(const Child&) = delete;

  pid_t pid() const { return pid_; }
  // What the body writes; the program ends when it has ended.
  void Read(void* into, size_t size) const;
  // Whether it writes something within that time.
  bool Readable(int milliseconds) const;

 private:
  pid_t pid_ = -1;
  int from_ = -1;
};

// Ends the program where `fine` is false.
void Check(bool fine, const std::string& what);
// Says that a body is set up.
void SayReady(int ready);

// A whole node, in a process of its own on the first core.
class NodeProcess {
 public:
  // `descriptors`: how many it may have; 0: as many as this process.
  NodeProcess(const std::vector<std::string>& settings, uint64_t descriptors);

  const NodePorts& ports() const { return ports_; }
  uint64_t ResidentBytes() const;
  double CpuSeconds() const;
  // Of /metrics, by its name there without "wsrouter_".
  double Metric(const std::string& name) const;

 private:
  Child child_;
  NodePorts ports_{};
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_BENCH_PRESSURE_NODE_H_
