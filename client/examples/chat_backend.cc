// A chat service on top of wsrouter: the whole backend.
//
// Browsers connect to a node with ws://node/ws?name=alice&room=lobby; this program holds none of
// these connections. It watches the events of the node and answers them with calls:
//   CONNECTED     Own: from now on the connection is `name`, and a member of `room`
//   MESSAGE       Push to the rooms of whoever sent it
//   JOINED, LEFT  Push the news to the room
//
// Clients send plain text. They get {"you": name, "room": room, "members": [names]} first, then
// {"from": name, "text": text}, {"joined": name} and {"left": name}. These are reliable pushes:
// where the node keeps histories (history.size), whoever comes back gets what it missed.

#include <algorithm>
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/synchronization/notification.h"
#include "wsrouter/backend_client.h"
#include "wsrouter/uri.h"

using namespace wsrouter::client;  // NOLINT: this is an example
namespace v1 = wsrouter::v1;
using nlohmann::json;

void Print(const std::string& line) { std::cout << line << std::endl; }

struct Chat {
  BackendClient& router;
  absl::Notification stopping = {};

  void OnEvent(const v1::Event& event) {
    if (event.has_connected()) Admit(event.connection_id(), event.connected().query());
    if (event.has_message()) Say(event);
    if (event.has_joined()) Announce("joined", event, event.joined().room());
    if (event.has_left()) Depart(event);
    if (event.has_disconnected()) Print("disconnected " + event.connection_id());
  }

  // A real service checks a session cookie or a token here; this one believes the name.
  void Admit(const std::string& connection, const std::string& query) {
    const std::string name = QueryValue(query, "name").value_or("");
    const std::string room = QueryValue(query, "room").value_or("lobby");
    if (name.empty()) return Refuse(connection, v1::CLOSE_CODE_NOT_AUTHENTICATED, "name wanted");
    const absl::Status owned =
        router.Own({.connection_id = connection, .client_id = name, .rooms = {room}}).status();
    if (absl::IsNotFound(owned)) return;  // it has gone meanwhile
    if (absl::IsInvalidArgument(owned)) {
      return Refuse(connection, v1::CLOSE_CODE_FORBIDDEN, "such a name or room is not allowed");
    }
    if (!owned.ok()) return Refuse(connection, v1::CLOSE_CODE_TRY_AGAIN_LATER, owned.ToString());
    Print("connected " + connection + " as " + name);

    json welcome = {{"you", name}, {"room", room}, {"members", json::array()}};
    v1::MembersRequest first_page;
    first_page.set_room(room);
    if (const auto page = router.Members(first_page); page.ok()) {
      for (const auto& member : page->members()) welcome["members"].push_back(member.client_id());
    }
    (void)router.SendToConnection(  // whoever has gone meanwhile needs no welcome
        {.connection_id = connection, .payload = Payload::Text(welcome.dump())});
  }

  void Refuse(const std::string& connection, uint16_t code, const std::string& why) {
    Print("refused " + connection + ": " + why);
    const std::string reason = why.size() <= 123 ? why : "";  // a Close frame has no room for more
    (void)router.Disconnect(ConnectionId{connection}, {.code = code, .reason = reason});
  }

  // `from` is the client that Own bound to the connection, whatever the text itself claims.
  void Say(const v1::Event& event) {
    const v1::ClientMessage& message = event.message();
    if (event.client_id().empty() || !message.payload().has_text()) return;
    ToRooms(event, {message.rooms().begin(), message.rooms().end()},
            {{"from", event.client_id()}, {"text", message.payload().text()}});
  }

  // A client may have several tabs; it has left with the last one.
  void Depart(const v1::Event& event) {
    const auto client = router.GetClient(event.client_id());
    if (!client.ok()) return Print("client: " + client.status().ToString());
    for (const v1::ConnectionInfo& tab : client->connections()) {
      const bool is_there = std::ranges::count(tab.rooms(), event.left().room()) > 0;
      if (is_there && tab.connection_id() != event.connection_id()) return;
    }
    Announce("left", event, event.left().room());
  }

  void Announce(const std::string& what, const v1::Event& event, const std::string& room) {
    Print(event.client_id() + " " + what + " " + room);
    ToRooms(event, {room}, {{what, event.client_id()}});
  }

  // While Redis restarts a push fails, or nobody knows whether it was sent. It is repeated for some
  // seconds, with the same key: so nobody gets it twice.
  void ToRooms(const v1::Event& about, const std::vector<std::string>& rooms, const json& news) {
    const std::string key = about.connection_id() + "/" + std::to_string(about.sequence()) + "/" +
                            std::to_string(about.at().seconds()) + "." +
                            std::to_string(about.at().nanos());
    PushRequest push = {.rooms = rooms,
                        .payload = Payload::Text(news.dump()),
                        .from_client_id = about.client_id(),
                        .reliable = true,
                        .idempotency_key = key};
    absl::Status pushed;
    for (int tries = 0; tries < 20; ++tries) {
      pushed = router.Push(push).status();
      if (Reason(pushed) == "HISTORY_OFF" && push.reliable) {
        push.reliable = false;  // the node keeps nothing: whoever is away misses it
      } else if (!absl::IsUnavailable(pushed) && !absl::IsDeadlineExceeded(pushed)) {
        break;
      } else if (stopping.WaitForNotificationWithTimeout(absl::Milliseconds(500))) {
        break;
      }
    }
    if (!pushed.ok()) Print("push: " + pushed.ToString());
  }
};

int main(int argc, char** argv) {
  const bool has_router = argc == 3 && std::string(argv[1]) == "--router";
  if (argc != 1 && !has_router) {
    std::cerr << "usage: chat_backend [--router host:port]\n";
    return 2;
  }
  sigset_t stop_signals;  // blocked in every thread: the main thread waits for them below
  sigemptyset(&stop_signals);
  for (const int signal : {SIGINT, SIGTERM}) sigaddset(&stop_signals, signal);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);
  BackendClient router({.target = has_router ? argv[2] : "127.0.0.1:9090"});
  Chat chat{router};
  const auto events = router.Watch(  // every kind, and connections that came before this program
      {.include_messages = true, .include_pending = true},
      {.on_event = [&](const v1::Event& event) { chat.OnEvent(event); },
       .stream = {.on_live = [](const Live&) { Print("watching"); },
                  .on_missed = [](uint64_t n) { Print("missed " + std::to_string(n) + " events"); },
                  .on_down = [](auto& cause, auto) { Print("no node: " + cause.ToString()); }}});
  int signal = 0;
  sigwait(&stop_signals, &signal);
  chat.stopping.Notify();
  events->Stop();
  Print("stopped");
}
