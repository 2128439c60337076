// What a node writes: bindings and memberships.
#include "engine/redis_directory.h"

#include <utility>

#include "absl/status/status.h"
#include "engine/redis_answer.h"
#include "engine/redis_keys.h"
#include "engine/redis_log_values.h"
#include "engine/redis_scripts.h"
#include "engine/refusals.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

std::string LetterOf(OnDuplicate on_duplicate) {
  switch (on_duplicate) {
    case OnDuplicate::kAllow:
      return "a";
    case OnDuplicate::kReplace:
      return "r";
    case OnDuplicate::kReject:
      return "x";
  }
  return "a";
}

void AddNames(const std::vector<RoomName>& rooms, std::vector<std::string>& words) {
  for (const RoomName& room : rooms) words.push_back(room.value);
}

// What a script that writes says first: "ok", or why it wrote nothing.
absl::Status Written(const RedisValue& answer, const Limits& limits) {
  if (answer.array().empty()) return absl::InternalError("a script answered nothing");
  const std::string& word = answer.array()[0].text();
  if (word == "ok") return absl::OkStatus();
  if (word == "no_lease") return DirectoryUnavailable("the node's lease has ended");
  if (word == "owned") return ClientAlreadyOwned(NumberAt(answer, 1));
  if (word == "full") return ConnectionsExhausted(NumberAt(answer, 1));
  if (word == "client_full") return ClientExhausted(limits.connections_per_client);
  if (word == "rooms_full") return RoomMembersExhausted(NumberAt(answer, 1));
  return absl::InternalError(fmt::format("a script answered '{}'", word));
}

}  // namespace

RedisDirectory::RedisDirectory(Options options, RedisLink& link)
    : options_(std::move(options)),
      root_(RedisRoot(options_.prefix)),
      self_(RedisNodeText(options_.self.node)),
      link_(link) {
  for (const RedisScript* script : scripts::All()) link_.Load(*script);
}

void RedisDirectory::Run(const RedisScript& script, std::vector<std::string> arguments,
                         RedisLink::Done done) {
  link_.Run(script, {root_}, std::move(arguments), std::move(done));
}

void RedisDirectory::Bind(const ConnectionId& connection, const ClientId& client,
                          OnDuplicate on_duplicate, const Labels& labels,
                          Done<std::vector<ConnectionId>> done) {
  BindInPlaceOf("", connection, client, on_duplicate, labels, std::move(done));
}

void RedisDirectory::Rebind(const ConnectionId& previous, const ConnectionId& connection,
                            const ClientId& client, OnDuplicate on_duplicate, const Labels& labels,
                            Done<std::vector<ConnectionId>> done) {
  BindInPlaceOf(previous.ToString(), connection, client, on_duplicate, labels, std::move(done));
}

void RedisDirectory::BindInPlaceOf(std::string previous, const ConnectionId& connection,
                                   const ClientId& client, OnDuplicate on_duplicate,
                                   const Labels& labels, Done<std::vector<ConnectionId>> done) {
  const std::string number = fmt::format("{}", ++binds_);
  std::vector<std::string> arguments = {connection.ToString(),
                                        client.value,
                                        LetterOf(on_duplicate),
                                        number,
                                        fmt::format("{}", options_.limits.owner_capacity),
                                        fmt::format("{}", options_.limits.connections_per_client),
                                        std::move(previous),
                                        LabelsText(labels)};
  RedisLink::Done answer = Answering<std::vector<ConnectionId>>(
      std::move(done),
      [limits =
           options_.limits](const RedisValue& value) -> absl::StatusOr<std::vector<ConnectionId>> {
        if (absl::Status status = Written(value, limits); !status.ok()) return status;
        return ConnectionsFrom(value, 1);
      });
  Run(scripts::Bind(), std::move(arguments),
      [this, connection, client, number,
       answer = std::move(answer)](absl::StatusOr<RedisValue> value) mutable {
        if (absl::IsUnavailable(value.status()) && link_.up()) {
          Run(scripts::Unbind(), {connection.ToString(), client.value, number, ""},
              [](const absl::StatusOr<RedisValue>&) {});
        }
        std::move(answer)(std::move(value));
      });
}

void RedisDirectory::Unbind(const ConnectionId& connection, const ClientId& client,
                            const std::vector<RoomName>& rooms, const Ending& ending) {
  std::vector<std::string> arguments = {connection.ToString(), client.value, "",
                                        EndingText(ending)};
  AddNames(rooms, arguments);
  Run(scripts::Unbind(), std::move(arguments), [](const absl::StatusOr<RedisValue>&) {});
}

void RedisDirectory::Join(const RoomName& room, const ConnectionId& connection,
                          const ClientId& client, Done<JoinedRoom> done) {
  std::vector<std::string> arguments = {room.value, connection.ToString(), client.value,
                                        fmt::format("{}", options_.limits.room_members_capacity)};
  RedisLink::Done answer = Answering<JoinedRoom>(
      std::move(done),
      [limits = options_.limits](const RedisValue& value) -> absl::StatusOr<JoinedRoom> {
        if (absl::Status status = Written(value, limits); !status.ok()) return status;
        return JoinedRoom{
            .already_member = NumberAt(value, 1) == 1,
            .size = {.members = NumberAt(value, 2), .connections = NumberAt(value, 3)}};
      });
  Run(scripts::Join(), std::move(arguments),
      [this, room, connection, client,
       answer = std::move(answer)](absl::StatusOr<RedisValue> value) mutable {
        if (absl::IsUnavailable(value.status()) && link_.up()) {
          Run(scripts::Leave(), {room.value, connection.ToString(), client.value},
              [](const absl::StatusOr<RedisValue>&) {});
        }
        std::move(answer)(std::move(value));
      });
}

void RedisDirectory::Leave(const RoomName& room, const ConnectionId& connection,
                           const ClientId& client, Done<RoomSize> done) {
  Run(scripts::Leave(), {room.value, connection.ToString(), client.value},
      Answering<RoomSize>(std::move(done), [](const RedisValue& value) {
        return RoomSize{.members = NumberAt(value, 0), .connections = NumberAt(value, 1)};
      }));
}

void RedisDirectory::Assert(const ConnectionId& connection, const ClientId& client,
                            OnDuplicate on_duplicate, const Labels& labels,
                            const std::vector<RoomName>& rooms, Done<bool> done) {
  std::vector<std::string> arguments = {connection.ToString(), client.value, LetterOf(on_duplicate),
                                        LabelsText(labels)};
  AddNames(rooms, arguments);
  Run(scripts::Assert(), std::move(arguments),
      Answering<bool>(std::move(done),
                      [limits = options_.limits](const RedisValue& value) -> absl::StatusOr<bool> {
                        if (absl::Status status = Written(value, limits); !status.ok()) {
                          return status;
                        }
                        return NumberAt(value, 1) == 1;
                      }));
}

}  // namespace wsrouter
