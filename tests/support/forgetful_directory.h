#ifndef WSROUTER_TESTS_SUPPORT_FORGETFUL_DIRECTORY_H_
#define WSROUTER_TESTS_SUPPORT_FORGETFUL_DIRECTORY_H_

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/directory.h"

namespace wsrouter {

// A directory that remembers what shards wrote again, and may yield to somebody else or keep its
// answer back. All else is another directory's.
class ForgetfulDirectory final : public Directory {
 public:
  struct Asserted {
    ConnectionId connection;
    ClientId client;
    OnDuplicate on_duplicate;
    std::vector<RoomName> rooms;
  };

  explicit ForgetfulDirectory(Directory& directory) : directory_(directory) {}

  void Assert(const ConnectionId& connection, const ClientId& client, OnDuplicate on_duplicate,
              const Labels& /*labels*/, const std::vector<RoomName>& rooms,
              Done<bool> done) override {
    asserted.push_back({connection, client, on_duplicate, rooms});
    if (keeps_back) {
      kept_.push_back(std::move(done));
    } else {
      std::move(done)(!yields.contains(connection));
    }
  }
  // Gives the answers that were kept back.
  void LetThrough(const absl::Status& why) {
    for (auto& done : std::exchange(kept_, {})) std::move(done)(why);
  }

  void Bind(const ConnectionId& connection, const ClientId& client, OnDuplicate on_duplicate,
            const Labels& labels, Done<std::vector<ConnectionId>> done) override {
    directory_.Bind(connection, client, on_duplicate, labels, std::move(done));
  }
  void Rebind(const ConnectionId& previous, const ConnectionId& connection, const ClientId& client,
              OnDuplicate on_duplicate, const Labels& labels,
              Done<std::vector<ConnectionId>> done) override {
    directory_.Rebind(previous, connection, client, on_duplicate, labels, std::move(done));
  }
  void Unbind(const ConnectionId& connection, const ClientId& client,
              const std::vector<RoomName>& rooms, const Ending& ending) override {
    directory_.Unbind(connection, client, rooms, ending);
  }
  void Join(const RoomName& room, const ConnectionId& connection, const ClientId& client,
            Done<JoinedRoom> done) override {
    directory_.Join(room, connection, client, std::move(done));
  }
  void Leave(const RoomName& room, const ConnectionId& connection, const ClientId& client,
             Done<RoomSize> done) override {
    directory_.Leave(room, connection, client, std::move(done));
  }
  void Client(const ClientId& client, Done<std::vector<ConnectionId>> done) override {
    directory_.Client(client, std::move(done));
  }
  void IsMember(const RoomName& room, const ClientId& client, Done<bool> done) override {
    directory_.IsMember(room, client, std::move(done));
  }
  void Size(const RoomName& room, Done<RoomSize> done) override {
    directory_.Size(room, std::move(done));
  }
  void Members(const RoomName& room, std::string_view cursor, uint32_t count,
               Done<MembersPage> done) override {
    directory_.Members(room, cursor, count, std::move(done));
  }
  void Clients(const RoomName& room, uint32_t most, Done<RoomClients> done) override {
    ++reads_of_clients;
    if (fails_clients) return std::move(done)(absl::UnavailableError("away"));
    if (!keeps_clients) return directory_.Clients(room, most, std::move(done));
    kept_clients_.push_back([this, room, most, done = std::move(done)]() mutable {
      directory_.Clients(room, most, std::move(done));
    });
  }
  // Asks what was kept back.
  void LetClientsThrough() {
    for (auto& ask : std::exchange(kept_clients_, {})) std::move(ask)();
  }
  void Rooms(std::string_view prefix, std::string_view cursor, uint32_t count,
             Done<RoomsPage> done) override {
    directory_.Rooms(prefix, cursor, count, std::move(done));
  }
  void Count(Done<OnlineCount> done) override { directory_.Count(std::move(done)); }
  void Nodes(Done<std::vector<NodeRow>> done) override { directory_.Nodes(std::move(done)); }
  void ReapStaleServers(Done<uint64_t> done) override {
    directory_.ReapStaleServers(std::move(done));
  }

  bool keeps_back = false;
  bool fails_clients = false;
  bool keeps_clients = false;
  int reads_of_clients = 0;
  std::set<ConnectionId> yields;
  std::vector<Asserted> asserted;

 private:
  Directory& directory_;
  std::vector<Done<bool>> kept_;
  std::vector<absl::AnyInvocable<void() &&>> kept_clients_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_FORGETFUL_DIRECTORY_H_
