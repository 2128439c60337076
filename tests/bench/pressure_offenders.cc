// Offenders that are clients; those that are services are in pressure_callers.cc.
#include "tests/bench/pressure_offenders.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/bench/pressure_others.h"
#include "tests/bench/pressure_sockets.h"
#include "tests/support/wire.h"

namespace wsrouter {
namespace {

constexpr char kOffender[] = "127.0.0.2";

// One client after the other, each until it is closed.
template <typename Offend>
[[noreturn]] void Again(const NodePorts& ports, int ready, Offend offend) {
  SayReady(ready);
  for (;;) {
    FrameSocket socket(ports.gateway, kOffender);
    if (socket.connected() && socket.Upgrade("/ws")) offend(socket);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // refused: no faster than that
  }
}

std::string Octets(std::mt19937_64& random, size_t size) {
  std::string octets(size, '\0');
  for (char& octet : octets) octet = static_cast<char>(random());
  return octets;
}

}  // namespace

void NeverRead(const NodePorts& ports, int ready) {
  std::vector<std::unique_ptr<FrameSocket>> sockets;
  std::vector<uint16_t> local_ports;
  for (int i = 0; i < 200; ++i) {
    const std::string source = "127.0.0." + std::to_string(2 + i / 100);
    sockets.push_back(std::make_unique<FrameSocket>(ports.gateway, source, 4096));
    Check(sockets.back()->Upgrade("/ws"), "no upgrade");
    local_ports.push_back(sockets.back()->local_port());
  }
  OwnByPort(ports.control, local_ports, "others");
  SayReady(ready);
  for (;;) pause();
}

void SendTooMuch(const NodePorts& ports, int ready) {
  std::string ten_milliseconds;
  for (int i = 0; i < 100; ++i) ten_milliseconds += ClientText("too much");
  Again(ports, ready, [&](FrameSocket& socket) {
    while (socket.Send(ten_milliseconds)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  });
}

void PingWithoutEnd(const NodePorts& ports, int ready) {
  std::string pings;
  for (int i = 0; i < 500; ++i) pings += ClientPing(std::string(125, 'p'));
  Again(ports, ready, [&](FrameSocket& socket) {
    while (socket.Send(pings)) {
    }
  });
}

void SendGarbage(const NodePorts& ports, int ready) {
  std::mt19937_64 random(1);
  Again(ports, ready, [&](FrameSocket& socket) {
    while (socket.Send(Octets(random, 1000))) {
    }
    FrameSocket other(ports.gateway, "127.0.0.3");
    while (other.Send(Octets(random, 1000))) {
    }
  });
}

void NeverFinishTheirHead(const NodePorts& ports, int ready) {
  const std::string request = UpgradeRequest("/ws");
  std::vector<std::unique_ptr<FrameSocket>> sockets(1000);
  bool said = false;
  for (;;) {
    for (size_t i = 0; i < sockets.size(); ++i) {
      auto& socket = sockets[i];
      if (socket != nullptr && socket->Send("x") && socket->Fill()) continue;
      socket =
          std::make_unique<FrameSocket>(ports.gateway, "127.0.0." + std::to_string(2 + i / 100));
      (void)fcntl(socket->fd(), F_SETFL, O_NONBLOCK);
      socket->Send(request.substr(0, request.size() - 4) + "\r\nX-Slow: ");
    }
    if (!std::exchange(said, true)) SayReady(ready);
    std::this_thread::sleep_for(std::chrono::seconds(1));
  }
}

void WantToStay(const NodePorts& ports, int ready) {
  std::vector<std::unique_ptr<FrameSocket>> sockets;
  const std::string request = UpgradeRequest("/ws");
  for (int i = 0; i < 400; ++i) {
    const std::string source = "127.0.0." + std::to_string(2 + i / 100);
    sockets.push_back(std::make_unique<FrameSocket>(ports.gateway, source));
    sockets.back()->Send(request);
  }
  SayReady(ready);
  for (;;) pause();
}

}  // namespace wsrouter
