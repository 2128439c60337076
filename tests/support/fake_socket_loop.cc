#include "tests/support/fake_socket_loop.h"

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <utility>

namespace wsrouter {
namespace {

FakeNetwork* network = nullptr;  // one at a time; set before the shard's thread starts

FakeSocket& SocketOf(const Session& session) {
  return *reinterpret_cast<FakeSocket*>(session.socket);
}

}  // namespace

void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "violated: " << what << '\n';
  std::abort();
}

FakeNetwork::FakeNetwork(std::function<void(FakeNetwork&)> script) : script_(std::move(script)) {
  network = this;
}
FakeNetwork::~FakeNetwork() { network = nullptr; }

void FakeNetwork::BeginTurn() {
  in_turn_ = true;
  handler_->OnTurnBegin();
}

void FakeNetwork::EndTurn() {
  if (std::exchange(woken_, false)) handler_->OnWake();
  may_kill_ = true;
  handler_->OnTurnEnd();
  may_kill_ = false;
  in_turn_ = false;
}

bool FakeNetwork::Receive(FakeSocket& socket, std::string_view octets) {
  if (socket.session == nullptr || !socket.backlog.empty()) return false;
  handler_->OnReceive(*socket.session, octets);
  return true;
}

void FakeNetwork::Accept(FakeSocket& socket, size_t octets) {
  const size_t taken = std::min(octets, socket.backlog.size());
  socket.received.append(socket.backlog, 0, taken);
  socket.backlog.erase(0, taken);
  socket.window += octets - taken;
  if (socket.session == nullptr || !socket.backlog.empty()) return;
  if (std::exchange(socket.session->backlogged, false)) handler_->OnWritable(*socket.session);
}

void FakeNetwork::End(FakeSocket& socket) {
  Session* session = std::exchange(socket.session, nullptr);
  if (session != nullptr) handler_->OnEnded(*session);
}

void FakeNetwork::Tick() { handler_->OnTick(); }

// What SocketLoop holds for its two C libraries.
struct SocketLoop::Watchers {};

SocketLoop::SocketLoop(Handler& handler) : handler_(handler) {}
SocketLoop::~SocketLoop() = default;

absl::StatusOr<std::unique_ptr<SocketLoop>> SocketLoop::Create(Handler& handler, const TlsFiles&) {
  network->handler_ = &handler;
  return std::unique_ptr<SocketLoop>(new SocketLoop(handler));
}

void SocketLoop::Run() { network->script_(*network); }
void SocketLoop::Break() { network->broken_off_ = true; }
void SocketLoop::Wake() { network->woken_ = true; }

bool SocketLoop::Adopt(UniqueFd, Session& session) {
  if (network->refuses_adoption) return false;
  auto socket = std::make_unique<FakeSocket>();
  socket->session = &session;
  socket->window = network->window;
  session.socket = reinterpret_cast<lws*>(socket.get());
  network->sockets_.push_back(std::move(socket));
  return true;
}

bool SocketLoop::Write(Session& session, std::string_view octets) {
  FakeSocket& socket = SocketOf(session);
  Require(socket.backlog.empty(), "nothing is written behind a backlog");
  Require(!socket.shut, "nothing is written after the end of our side");
  Require(!octets.empty(), "a write carries something");
  if (socket.broken) return false;
  const size_t taken = std::min(octets.size(), socket.window);
  socket.window -= taken;
  socket.received.append(octets.substr(0, taken));
  socket.backlog = octets.substr(taken);
  session.backlogged = !socket.backlog.empty();
  return true;
}

void SocketLoop::SetCertificate(const Certificate&) {}

void SocketLoop::UpdateReading(const Session&) {}

uint32_t SocketLoop::UnackedBytes(const Session&) { return 0; }

void SocketLoop::ShutWrite(Session& session) {
  FakeSocket& socket = SocketOf(session);
  Require(socket.backlog.empty(), "our side ends behind what was written");
  socket.shut = true;
}

void SocketLoop::Kill(Session& session) {
  Require(network->may_kill_, "a socket is killed at the end of a turn only");
  network->End(SocketOf(session));
}

}  // namespace wsrouter
