// Random steps and faults on one to three nodes around one Redis, against a model of them. Pushes
// must reach whom they are for and nobody else, once and in order; at rest the directory says
// exactly what the nodes' clients are, Redis holds nothing else, and what is counted adds up.
//
// WSROUTER_MODEL_SEEDS: how many seeds; WSROUTER_MODEL_SEED: that one alone. A failure names its
// seed.
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"
#include "tests/integration/cluster_model.h"

namespace wsrouter {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

TEST(ClusterModelTest, ClusterAgreesWithTheModel) {
  const uint64_t one = FromEnvironment("WSROUTER_MODEL_SEED", 0);
  const uint64_t seeds = one != 0 ? one : FromEnvironment("WSROUTER_MODEL_SEEDS", 50);
  for (uint64_t seed = one != 0 ? one : 1; seed <= seeds; ++seed) {
    ClusterModel model(seed);
    const std::string wrong = model.Run();
    // tests/mutants/expect_found.sh looks for these words.
    ASSERT_EQ(wrong, "") << "broken invariant, again: WSROUTER_MODEL_SEED=" << seed << "\n"
                         << model.History();
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace wsrouter
