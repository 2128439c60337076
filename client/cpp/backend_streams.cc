// BackendClient::Watch and Subscribe: how one stream is opened and read; EventStream opens the
// next.

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "backend_stubs.h"
#include "missed.h"
#include "to_proto.h"
#include "wsrouter/backend_client.h"

namespace wsrouter::client {
namespace {

bool WantsConnected(const WatchRequest& request) {
  return request.kinds.empty() || std::find(request.kinds.begin(), request.kinds.end(),
                                            v1::EVENT_KIND_CONNECTED) != request.kinds.end();
}

// Hands every message to `on_item` until the stream ends or is to stop. A stopping stream is
// cancelled, so the rest that is read and thrown away is what has already arrived.
template <typename Item, typename OnItem>
grpc::Status ReadAll(EventStream& stream, grpc::ClientReader<Item>& reader, OnItem on_item) {
  Item item;
  while (reader.Read(&item)) {
    if (!stream.stopping()) on_item(item);
  }
  return reader.Finish();
}

}  // namespace

std::unique_ptr<EventStream> BackendClient::Watch(WatchRequest request, WatchHandlers handlers) {
  v1::WatchRequest message = ToProto(request);
  auto read = [stubs = stubs_, on_event = std::move(handlers.on_event),
               wants_connected = WantsConnected(request), message = std::move(message)](
                  EventStream& stream, grpc::ClientContext& context, bool resumed) mutable {
    stubs->AddMetadata(context);
    // Who came while there was no stream shall not be overlooked.
    if (resumed) message.set_include_pending(wants_connected);
    MissedCount missed;
    const auto reader = stubs->events().Watch(&context, message);
    return ReadAll(stream, *reader, [&](const v1::WatchResponse& response) {
      const v1::Event& event = response.event();
      if (event.kind() == v1::EVENT_KIND_MISSED) {
        stream.ReportMissed(missed.OnMissed(event.missed().events(), event.sequence()));
        return;
      }
      stream.ReportMissed(missed.OnNumber(event.sequence()));
      if (event.kind() == v1::EVENT_KIND_READY) {
        stream.ReportLive({.resumed = resumed, .pending = event.ready().pending()});
      } else if (on_event && !stream.stopping()) {
        on_event(event);
      }
    });
  };
  return std::make_unique<EventStream>(stubs_->backoff(), std::move(handlers.stream),
                                       std::move(read));
}

std::unique_ptr<EventStream> BackendClient::Subscribe(std::vector<std::string> channels,
                                                      SubscribeHandlers handlers) {
  v1::SubscribeRequest request;
  request.mutable_channels()->Assign(channels.begin(), channels.end());
  auto read = [stubs = stubs_, on_message = std::move(handlers.on_message),
               request = std::move(request)](EventStream& stream, grpc::ClientContext& context,
                                             bool resumed) {
    stubs->AddMetadata(context);
    MissedCount missed;
    const auto reader = stubs->events().Subscribe(&context, request);
    return ReadAll(stream, *reader, [&](const v1::SubscribeResponse& response) {
      switch (response.item_case()) {
        case v1::SubscribeResponse::kReady:
          stream.ReportLive({.resumed = resumed, .pending = 0});
          break;
        case v1::SubscribeResponse::kMissed:
          stream.ReportMissed(missed.OnMissed(response.missed().events(), 0));
          break;
        case v1::SubscribeResponse::kMessage:
          stream.ReportMissed(missed.OnNumber(response.message().sequence()));
          if (on_message && !stream.stopping()) on_message(response.message());
          break;
        case v1::SubscribeResponse::ITEM_NOT_SET:
          break;
      }
    });
  };
  return std::make_unique<EventStream>(stubs_->backoff(), std::move(handlers.stream),
                                       std::move(read));
}

}  // namespace wsrouter::client
