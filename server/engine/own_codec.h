#ifndef WSROUTER_ENGINE_OWN_CODEC_H_
#define WSROUTER_ENGINE_OWN_CODEC_H_

#include "core/envelope.h"
#include "engine/wire.pb.h"
#include "engine/wire_values.h"

namespace wsrouter {

// Who a connection is, in an envelope and in a session.
void WriteOwn(const Own& own, wire::Own* to);
Own ReadOwn(WireReader& reader, const wire::Own& from);

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_OWN_CODEC_H_
