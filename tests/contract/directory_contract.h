#ifndef WSROUTER_TESTS_CONTRACT_DIRECTORY_CONTRACT_H_
#define WSROUTER_TESTS_CONTRACT_DIRECTORY_CONTRACT_H_

#include <string>
#include <vector>

#include "tests/contract/awaiting.h"
#include "tests/contract/engines.h"

namespace wsrouter {

using Connections = std::vector<ConnectionId>;

// The directory's questions, each with its answer awaited.
class DirectoryContractTest : public EngineContractTest {
 protected:
  absl::StatusOr<Connections> Bind(uint64_t counter, const std::string& client,
                                   OnDuplicate on_duplicate = OnDuplicate::kAllow) {
    Awaited<absl::StatusOr<Connections>> answer;
    directory().Bind(Connection(counter), {client}, on_duplicate, {}, answer.Take());
    return answer.Wait();
  }
  absl::StatusOr<Connections> Rebind(uint64_t previous, uint64_t counter, const std::string& client,
                                     OnDuplicate on_duplicate = OnDuplicate::kAllow) {
    Awaited<absl::StatusOr<Connections>> answer;
    directory().Rebind(Connection(previous), Connection(counter), {client}, on_duplicate, {},
                       answer.Take());
    return answer.Wait();
  }
  void Unbind(const ConnectionId& connection, const std::string& client,
              const std::vector<RoomName>& rooms = {}) {
    directory().Unbind(connection, {client}, rooms, {.gone = true});
  }
  absl::StatusOr<JoinedRoom> Join(const std::string& room, uint64_t counter,
                                  const std::string& client) {
    Awaited<absl::StatusOr<JoinedRoom>> answer;
    directory().Join({room}, Connection(counter), {client}, answer.Take());
    return answer.Wait();
  }
  RoomSize Leave(const std::string& room, const ConnectionId& connection,
                 const std::string& client) {
    Awaited<absl::StatusOr<RoomSize>> answer;
    directory().Leave({room}, connection, {client}, answer.Take());
    return answer.Wait().value();
  }
  Connections Client(const std::string& client) {
    Awaited<absl::StatusOr<Connections>> answer;
    directory().Client({client}, answer.Take());
    return answer.Wait().value();
  }
  bool IsMember(const std::string& room, const std::string& client) {
    Awaited<absl::StatusOr<bool>> answer;
    directory().IsMember({room}, {client}, answer.Take());
    return answer.Wait().value();
  }
  RoomSize Size(const std::string& room) {
    Awaited<absl::StatusOr<RoomSize>> answer;
    directory().Size({room}, answer.Take());
    return answer.Wait().value();
  }
  MembersPage Members(const std::string& room, const std::string& cursor, uint32_t count) {
    Awaited<absl::StatusOr<MembersPage>> answer;
    directory().Members({room}, cursor, count, answer.Take());
    return answer.Wait().value();
  }
  RoomClients Clients(const std::string& room, uint32_t most) {
    Awaited<absl::StatusOr<RoomClients>> answer;
    directory().Clients({room}, most, answer.Take());
    return answer.Wait().value();
  }
  RoomsPage Rooms(const std::string& prefix, const std::string& cursor, uint32_t count) {
    Awaited<absl::StatusOr<RoomsPage>> answer;
    directory().Rooms(prefix, cursor, count, answer.Take());
    return answer.Wait().value();
  }
  OnlineCount Count() {
    Awaited<absl::StatusOr<OnlineCount>> answer;
    directory().Count(answer.Take());
    return answer.Wait().value();
  }
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_CONTRACT_DIRECTORY_CONTRACT_H_
