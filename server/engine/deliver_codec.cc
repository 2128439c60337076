#include "engine/deliver_codec.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/limits.h"

namespace wsrouter {
namespace {

constexpr WireEnum<std::optional<SlowConsumerPolicy>, wire::SlowConsumer, 3> kSlowConsumers = {{
    {std::nullopt, wire::SLOW_CONSUMER_UNSPECIFIED},
    {SlowConsumerPolicy::kDrop, wire::SLOW_CONSUMER_DROP},
    {SlowConsumerPolicy::kDisconnect, wire::SLOW_CONSUMER_DISCONNECT},
}};
constexpr WireEnum<std::optional<SlowConsumerPolicy>, wire::SlowConsumerMore, 2> kMorePolicies = {{
    {SlowConsumerPolicy::kDropOld, wire::SLOW_CONSUMER_MORE_DROP_OLD},
    {SlowConsumerPolicy::kConflate, wire::SLOW_CONSUMER_MORE_CONFLATE},
}};

// In an order of their own, not the set's: equal envelopes are equal octets.
void WriteExceptions(const Exceptions& except, wire::Deliver* to) {
  const auto by_value = [](const auto* a, const auto* b) { return *a < *b; };
  std::vector<const ConnectionId*> connections;
  for (const ConnectionId& id : except.connections) connections.push_back(&id);
  std::ranges::sort(connections, by_value);
  for (const ConnectionId* id : connections) WriteConnection(*id, to->add_except_connections());
  std::vector<const ClientId*> clients;
  for (const ClientId& client : except.clients) clients.push_back(&client);
  std::ranges::sort(clients, by_value);
  for (const ClientId* client : clients) to->add_except_clients(client->value);
}

std::shared_ptr<const Exceptions> ReadExceptions(WireReader& reader, const wire::Deliver& from) {
  if (from.except_connections().empty() && from.except_clients().empty()) return nullptr;
  auto except = std::make_shared<Exceptions>();
  if (!reader.Require(from.except_connections_size() <= kWireNamesMax &&
                          from.except_clients_size() <= kWireNamesMax,
                      "deliver.except", "has too many entries")) {
    return except;
  }
  for (const wire::Connection& connection : from.except_connections()) {
    except->connections.insert(
        reader.ReadSupposedConnection("deliver.except_connections", connection));
  }
  for (const std::string& client : from.except_clients()) {
    except->clients.insert(reader.ReadName<ClientId>("deliver.except_clients", client));
  }
  return except;
}

}  // namespace

void WriteDeliver(const Deliver& deliver, wire::Deliver* to) {
  to->set_slow_consumer(ToWire(kSlowConsumers, deliver.slow_consumer));
  to->set_slow_consumer_more(ToWire(kMorePolicies, deliver.slow_consumer));
  to->set_conflation_key(deliver.conflation_key);
  if (deliver.except != nullptr) WriteExceptions(*deliver.except, to);
}

Deliver ReadDeliver(WireReader& reader, const wire::Deliver& from, FramePtr frame) {
  Deliver deliver = {.frame = std::move(frame),
                     .slow_consumer = reader.ReadEnum("deliver.slow_consumer", kSlowConsumers,
                                                      from.slow_consumer()),
                     .except = ReadExceptions(reader, from),
                     .conflation_key = from.conflation_key()};
  for (const auto& [policy, wire] : kMorePolicies) {
    if (wire == from.slow_consumer_more()) deliver.slow_consumer = policy;
  }
  reader.Require(deliver.conflation_key.size() <= kConflationKeyBytesMax, "deliver.conflation_key",
                 "is too long");
  return deliver;
}

}  // namespace wsrouter
