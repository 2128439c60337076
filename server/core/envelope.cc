#include "core/envelope.h"

#include "fmt/format.h"

namespace wsrouter {

std::string KeyOf(const Topic& topic) {
  struct Namer {
    std::string operator()(const ConnectionId& id) const { return "n" + id.ToString(); }
    std::string operator()(const Inbox& inbox) const { return fmt::format("i{}", inbox.shard); }
    std::string operator()(const ClientId& client) const { return "c" + client.value; }
    std::string operator()(const RoomName& room) const { return "r" + room.value; }
    std::string operator()(const ChannelName& channel) const { return "b" + channel.value; }
    std::string operator()(const Everyone&) const { return "*"; }
    std::string operator()(const ThisNode&) const { return "."; }
  };
  return std::visit(Namer{}, topic);
}

}  // namespace wsrouter
