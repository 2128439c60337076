#ifndef WSROUTER_TESTS_SUPPORT_SAMPLE_ENVELOPES_H_
#define WSROUTER_TESTS_SUPPORT_SAMPLE_ENVELOPES_H_

#include <vector>

#include "engine/envelope_codec.h"

namespace wsrouter {

ConnectionId SampleConnection(uint64_t counter);
// Every topic that there is.
std::vector<Topic> SampleTopics();
// Every action that leaves a node, with all its fields and with none.
std::vector<Action> SampleActions();
std::vector<WireEnvelope> SampleEnvelopes();
// With all fields, and with none.
std::vector<WireReceipt> SampleReceipts();

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_SAMPLE_ENVELOPES_H_
