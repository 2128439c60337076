#include "tests/bench/readers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace wsrouter {
namespace {

struct Command {
  uint32_t count;  // 0: close all
  uint16_t port;
  bool websocket;
};

constexpr char kPing = static_cast<char>(0x89);  // of a frame without payload, which is two octets
constexpr unsigned char kPong[] = {0x8A, 0x80, 0, 0, 0, 0};

[[noreturn]] void Die(const char* what) {
  perror(what);
  exit(1);
}

void SendAll(int fd, const void* data, size_t size) {
  if (send(fd, data, size, MSG_NOSIGNAL) != static_cast<ssize_t>(size)) Die("send");
}

void ReceiveAll(int fd, void* data, size_t size) {
  if (recv(fd, data, size, MSG_WAITALL) != static_cast<ssize_t>(size)) {
    fprintf(stderr, "the other process of the benchmark is gone\n");
    exit(1);
  }
}

}  // namespace

int ConnectTo(uint16_t port, bool websocket) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) Die("connect");
  if (websocket) {
    const std::string request =
        "GET /ws HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n";
    SendAll(fd, request.data(), request.size());
    std::string answer;
    while (!answer.ends_with("\r\n\r\n")) {
      char octet = 0;
      if (recv(fd, &octet, 1, 0) != 1) Die("no upgrade");
      answer.push_back(octet);
    }
  }
  return fd;
}

Readers::Readers() {
  shared_ = static_cast<Shared*>(
      mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  int pair[2];
  if (shared_ == MAP_FAILED || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) Die("readers");
  process_ = fork();
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(pair[0]);
    Serve(pair[1]);
  }
  close(pair[1]);
  commands_ = pair[0];
}

Readers::~Readers() {
  close(commands_);
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  munmap(shared_, sizeof(Shared));
}

void Readers::Open(uint16_t port, uint32_t count, bool websocket) {
  const Command command = {.count = count, .port = port, .websocket = websocket};
  SendAll(commands_, &command, sizeof(command));
  char done = 0;
  ReceiveAll(commands_, &done, 1);
}

void Readers::CloseAll() { Open(0, 0, false); }

void Readers::AwaitOctets(uint64_t octets) const {
  while (this->octets() < octets) poll(nullptr, 0, 1);
}

void Readers::Serve(int commands) {
  PinTo(1);
  const int events = epoll_create1(0);
  std::vector<int> sockets;
  std::vector<char> buffer(1 << 20);
  epoll_event watch = {.events = EPOLLIN, .data = {.fd = commands}};
  epoll_ctl(events, EPOLL_CTL_ADD, commands, &watch);
  while (true) {
    epoll_event ready[256];
    const int count = epoll_wait(events, ready, 256, -1);
    for (int i = 0; i < count; ++i) {
      const int fd = ready[i].data.fd;
      if (fd != commands) {
        const ssize_t got = recv(fd, buffer.data(), buffer.size(), 0);
        if (got > 0) shared_->octets.fetch_add(static_cast<uint64_t>(got));
        if (got == 2 && buffer[0] == kPing) SendAll(fd, kPong, sizeof(kPong));
        if (got == 0) epoll_ctl(events, EPOLL_CTL_DEL, fd, nullptr);
        continue;
      }
      Command command{};
      ReceiveAll(commands, &command, sizeof(command));
      for (uint32_t n = 0; n < command.count; ++n) {
        sockets.push_back(ConnectTo(command.port, command.websocket));
        (void)fcntl(sockets.back(), F_SETFL, O_NONBLOCK);
        epoll_event in = {.events = EPOLLIN, .data = {.fd = sockets.back()}};
        epoll_ctl(events, EPOLL_CTL_ADD, sockets.back(), &in);
      }
      if (command.count == 0) {
        const linger reset = {.l_onoff = 1, .l_linger = 0};  // no TIME_WAIT between the rounds
        for (const int open : sockets) {
          setsockopt(open, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
          close(open);
        }
        sockets.clear();
      }
      SendAll(commands, "k", 1);
    }
  }
}

void RaiseDescriptorLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0) Die("setrlimit");
}

void PinTo(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(static_cast<size_t>(core), &cores);
  (void)sched_setaffinity(0, sizeof(cores), &cores);  // on one core there is nothing to choose
}

double CpuMicroseconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto micros = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e6 + static_cast<double>(t.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

uint64_t ResidentBytes() {
  FILE* file = fopen("/proc/self/statm", "r");
  unsigned long total = 0;
  unsigned long resident = 0;
  if (file == nullptr || fscanf(file, "%lu %lu", &total, &resident) != 2) Die("statm");
  fclose(file);
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace wsrouter
