#include "core/registry.h"

#include "gmock/gmock.h"

namespace wsrouter {
namespace {

TEST(RegistryTest, FindsConnectionsByCounter) {
  Registry registry;
  Connection connection;
  connection.counter = 7;
  registry.Add(connection);
  EXPECT_EQ(registry.Find(uint64_t{7}), &connection);
  EXPECT_EQ(registry.Find(uint64_t{8}), nullptr);
  registry.Remove(connection);
  EXPECT_EQ(registry.Find(uint64_t{7}), nullptr);
}

TEST(RegistryTest, KnowsAClientWhileItHasAConnection) {
  Registry registry;
  Connection phone;
  Connection laptop;
  registry.Bind(phone, {"alice"});
  registry.Bind(laptop, {"alice"});
  ASSERT_NE(registry.Find(ClientId{"alice"}), nullptr);
  EXPECT_EQ(phone.client, laptop.client);
  EXPECT_THAT(registry.Find(ClientId{"alice"})->connections,
              testing::UnorderedElementsAre(&phone, &laptop));
  registry.Unbind(phone);
  EXPECT_EQ(phone.client, nullptr);
  EXPECT_THAT(registry.Find(ClientId{"alice"})->connections, testing::ElementsAre(&laptop));
  registry.Unbind(laptop);
  EXPECT_EQ(registry.Find(ClientId{"alice"}), nullptr);
}

TEST(RegistryTest, ListsConnectionsByCounter) {
  Registry registry;
  Connection connections[3];
  const uint64_t counters[] = {9, 2, 5};
  for (int i = 0; i < 3; ++i) {
    connections[i].counter = counters[i];
    registry.Add(connections[i]);
  }
  std::vector<uint64_t> listed;
  for (const auto& [counter, connection] : registry.connections()) listed.push_back(counter);
  EXPECT_THAT(listed, testing::ElementsAre(2, 5, 9));
}

}  // namespace
}  // namespace wsrouter
