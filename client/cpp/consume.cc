// BackendClient::Consume: how one stream of the event log is opened and read; EventStream opens the
// next.
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <utility>

#include "backend_stubs.h"
#include "log_settler.h"
#include "to_proto.h"
#include "wsrouter/backend_client.h"

namespace wsrouter::client {
namespace {

// How long Stop waits for the node to take what was settled.
constexpr std::chrono::milliseconds kFinishPatience(5000);

// What one stream said, handed on until it ends.
void ReadAll(EventStream& stream, LogSettler::Stream& from, bool resumed,
             const ConsumeHandlers& handlers, const std::shared_ptr<LogSettler>& settler,
             uint64_t number) {
  std::optional<v1::ConsumerStatus> said;
  v1::ConsumeResponse response;
  while (from.Read(&response)) {
    if (stream.stopping()) continue;
    if (response.has_status()) {
      if (!said.has_value()) stream.ReportLive({.resumed = resumed, .pending = 0});
      stream.ReportMissed(response.status().lost() - (said.has_value() ? said->lost() : 0));
      said = response.status();
      if (handlers.on_status && !stream.stopping()) handlers.on_status(*said);
    } else if (response.has_delivery() && handlers.on_entry) {
      handlers.on_entry(ConsumedEntry(std::move(*response.mutable_delivery()), settler, number));
    }
  }
}

}  // namespace

ConsumedEntry::ConsumedEntry(v1::LogDelivery delivery, std::shared_ptr<LogSettler> settler,
                             uint64_t stream)
    : delivery_(std::move(delivery)), settler_(std::move(settler)), stream_(stream) {}

ConsumedEntry& ConsumedEntry::operator=(ConsumedEntry&& other) noexcept {
  if (this != &other) {
    Again();
    delivery_ = std::move(other.delivery_);
    settler_ = std::move(other.settler_);
    stream_ = other.stream_;
  }
  return *this;
}

ConsumedEntry::~ConsumedEntry() { Again(); }

void ConsumedEntry::Done() {
  if (const auto settler = std::exchange(settler_, nullptr)) {
    settler->Settle(stream_, delivery_.receipt(), std::nullopt);
  }
}

void ConsumedEntry::Again(absl::Duration after) {
  if (const auto settler = std::exchange(settler_, nullptr)) {
    settler->Settle(stream_, delivery_.receipt(), after);
  }
}

std::unique_ptr<EventStream> BackendClient::Consume(ConsumeRequest request,
                                                    ConsumeHandlers handlers) {
  const auto settler = std::make_shared<LogSettler>();
  auto read = [stubs = stubs_, settler, on = handlers, open = ToProto(request)](
                  EventStream& stream, grpc::ClientContext& context, bool resumed) mutable {
    stubs->AddMetadata(context);
    // A log that was lost meanwhile begins anew, and so does the group: nothing of it was seen.
    if (resumed) open.mutable_open()->set_from_start(true);
    const auto consume = stubs->events().Consume(&context);
    consume->Write(open);
    const uint64_t number = settler->Attach(*consume);
    ReadAll(stream, *consume, resumed, on, settler, number);
    settler->Detach();
    return consume->Finish();
  };
  return std::make_unique<EventStream>(stubs_->backoff(), std::move(handlers.stream),
                                       std::move(read),
                                       [settler] { settler->Finish(kFinishPatience); });
}

}  // namespace wsrouter::client
