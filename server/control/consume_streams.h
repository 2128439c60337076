#ifndef WSROUTER_CONTROL_CONSUME_STREAMS_H_
#define WSROUTER_CONTROL_CONSUME_STREAMS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "control/access_check.h"
#include "control/consume_stream.h"
#include "control/kept_streams.h"
#include "control/timed_thread.h"
#include "core/ids.h"
#include "core/log_group_board.h"

namespace wsrouter {

// The open streams of Events.Consume, at most `streams_max` of them, and the thread on which they
// do their work. Any thread.
class ConsumeStreams {
 public:
  // `groups` is kept fresh for whoever reads it.
  ConsumeStreams(EventLog& log, History& history, LogGroupBoard& groups, Counters& counters,
                 const Clock& clock, const NodeIdentity& node, uint32_t streams_max);

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Open(
      grpc::CallbackServerContext& call, AccessCheck::Standing standing);
  // As KeptStreams.
  void Stop() { streams_.Stop(); }
  void EndFallen() { streams_.EndFallen(); }

 private:
  void Tick();
  void LookAtGroups();

  EventLog& log_;
  History& history_;
  LogGroupBoard& groups_;
  Counters& counters_;
  const Clock& clock_;
  const std::string node_;
  std::atomic<uint64_t> opened_{0};
  KeptStreams<ConsumeStream> streams_;
  TimedThread thread_;  // the last member: it uses the others
};

}  // namespace wsrouter

#endif  // WSROUTER_CONTROL_CONSUME_STREAMS_H_
