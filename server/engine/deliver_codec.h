#ifndef WSROUTER_ENGINE_DELIVER_CODEC_H_
#define WSROUTER_ENGINE_DELIVER_CODEC_H_

#include "core/envelope.h"
#include "engine/wire_values.h"

namespace wsrouter {

// A push on the wire, but for its frame, which is the envelope's.
void WriteDeliver(const Deliver& deliver, wire::Deliver* to);
Deliver ReadDeliver(WireReader& reader, const wire::Deliver& from, FramePtr frame);

}  // namespace wsrouter

#endif  // WSROUTER_ENGINE_DELIVER_CODEC_H_
