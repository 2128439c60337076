#include "wsrouter/websocket_client.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "fmt/format.h"
#include "websocket_link.h"
#include "wsrouter/reconnect.h"
#include "wsrouter/uri.h"

namespace wsrouter::client {
namespace {

absl::Duration Uptime() {
  return absl::FromChrono(std::chrono::steady_clock::now().time_since_epoch());
}

// RFC 9110 section 5.6.2.
bool IsToken(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

absl::Status CheckHeaders(const WebSocketClientOptions& options) {
  for (const auto& [name, value] : options.headers) {
    const std::string lower = absl::AsciiStrToLower(name);
    if (!IsToken(name) || lower == "host" || lower == "connection" || lower == "upgrade" ||
        absl::StartsWith(lower, "sec-websocket-")) {
      return absl::InvalidArgumentError(fmt::format("header '{}' cannot be set", name));
    }
    // A line end in a value would begin a header of somebody else's choice.
    if (std::any_of(value.begin(), value.end(), [](char c) {
          return c != '\t' && absl::ascii_iscntrl(static_cast<unsigned char>(c));
        })) {
      return absl::InvalidArgumentError(
          fmt::format("header '{}' has a control character in its value", name));
    }
  }
  for (const std::string& subprotocol : options.subprotocols) {
    if (!IsToken(subprotocol)) {
      return absl::InvalidArgumentError(
          fmt::format("subprotocol '{}' is not a token of RFC 9110", subprotocol));
    }
  }
  return absl::OkStatus();
}

// Whether a client may send this code (RFC 6455 section 7.4, and what the IANA registry added).
bool MaySend(uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

// At most 123 octets (RFC 6455 section 5.5), cut between two characters.
std::string CutReason(std::string reason) {
  constexpr size_t kReasonBytesMax = 123;
  if (reason.size() <= kReasonBytesMax) return reason;
  size_t end = kReasonBytesMax;
  while (end > 0 && (static_cast<uint8_t>(reason[end]) & 0xC0) == 0x80) --end;
  reason.resize(end);
  return reason;
}

}  // namespace

// The queue, which any thread fills, and the rest, which belongs to one thread: it runs the links
// one after another, and every handler.
class WebSocketClient::State {
 public:
  State(WebSocketClientOptions options, WebSocketHandlers handlers, std::unique_ptr<Dialer> dialer)
      : options_(std::move(options)),
        handlers_(std::move(handlers)),
        dialer_(std::move(dialer)),
        backoff_(options_.backoff, SystemRandom()),
        work_(io_.get_executor()),
        timer_(io_) {
    boost::asio::post(io_, [this] { Dial(); });
    thread_ = std::thread([this] { io_.run(); });
  }

  ~State() {
    io_.stop();
    thread_.join();
  }

  bool Send(std::string octets, bool binary) {
    const size_t cost = Cost(octets);
    bool is_first = false;
    {
      std::lock_guard lock(mutex_);
      if (!accepting_ || cost > options_.queue_bytes_max - queue_bytes_) {
        ++dropped_;
        return false;
      }
      is_first = queue_.empty();
      queue_bytes_ += cost;
      queue_.push_back({std::move(octets), binary});
    }
    if (is_first) boost::asio::post(io_, [this] { SendNext(); });
    return true;
  }

  void Close(uint16_t code, std::string reason) {
    {
      std::lock_guard lock(mutex_);
      if (!accepting_) return;
      accepting_ = false;
    }
    boost::asio::post(io_, [this, code, reason = std::move(reason)]() mutable {
      OnCloseWanted(MaySend(code) ? code : uint16_t{1000}, CutReason(std::move(reason)));
    });
  }

  uint64_t dropped() const { return dropped_; }

 private:
  struct Message {
    std::string octets;
    bool binary = false;
  };
  struct CloseWanted {
    uint16_t code;
    std::string reason;
    bool sent = false;
  };

  static size_t Cost(const std::string& octets) {
    constexpr size_t kOverheadBytes = 64;  // so that empty messages are bounded, too
    return octets.size() + kOverheadBytes;
  }

  void Dial() {
    link_ = dialer_->Dial(
        io_, {.on_open = [this](const std::string& subprotocol) { OnOpen(subprotocol); },
              .on_message =
                  [this](std::string_view octets, bool binary) {
                    if (handlers_.on_message) handlers_.on_message(octets, binary);
                  },
              .on_sent =
                  [this] {
                    sending_ = false;
                    SendNext();
                  },
              .on_end = [this](const LinkEnd& end) { OnEnd(end); }});
  }

  void OnOpen(const std::string& subprotocol) {
    open_ = true;
    backoff_.OnConnected(Uptime());
    if (handlers_.on_open) handlers_.on_open(subprotocol);
    SendNext();
  }

  // Does what is next when nothing is being sent: a message, or the Close frame behind the last.
  void SendNext() {
    if (!open_ || sending_) return;
    if (std::optional<Message> message = TakeMessage()) {
      sending_ = true;
      link_->Send(std::move(message->octets), message->binary);
    } else if (close_wanted_ && !close_wanted_->sent) {
      close_wanted_->sent = true;
      link_->Close(close_wanted_->code, close_wanted_->reason);
    }
  }

  std::optional<Message> TakeMessage() {
    std::lock_guard lock(mutex_);
    if (queue_.empty()) return std::nullopt;
    Message message = std::move(queue_.front());
    queue_.pop_front();
    queue_bytes_ -= Cost(message.octets);
    return message;
  }

  void OnCloseWanted(uint16_t code, std::string reason) {
    if (finished_) return;
    close_wanted_ = {code, std::move(reason)};
    timer_.cancel();  // of a retry
    if (link_ == nullptr) return Finish({.reason = "closed while not connected"});
    if (!open_) return link_->Abort("closed before it was open");
    timer_.expires_after(absl::ToChronoNanoseconds(options_.close_timeout));
    timer_.async_wait([this](boost::system::error_code error) {
      if (!error && link_ != nullptr) link_->Abort("no answer to Close in time");
    });
    SendNext();
  }

  void OnEnd(const LinkEnd& end) {
    link_.reset();
    open_ = false;
    if (sending_) ++dropped_;
    sending_ = false;

    Closed closed{.code = end.code, .reason = end.reason, .http_status = end.http_status};
    const Reconnect advice =
        end.http_status != 0 ? AfterHttpStatus(end.http_status) : AfterCloseCode(end.code);
    if (close_wanted_ || !options_.reconnect || advice == Reconnect::kNever) return Finish(closed);

    // Nodes spread their Retry-After, so whoever heeds it does not come in a crowd; the delay is
    // added for those of other servers, which do not.
    const absl::Duration asked = std::min(end.retry_after, options_.retry_after_max);
    closed.retry_in = asked + backoff_.OnLost(Uptime(), advice == Reconnect::kAtOnce);
    timer_.expires_after(absl::ToChronoNanoseconds(*closed.retry_in));
    timer_.async_wait([this](boost::system::error_code error) {
      if (!error && !close_wanted_) Dial();
    });
    if (handlers_.on_close) handlers_.on_close(closed);
  }

  void Finish(const Closed& closed) {
    finished_ = true;
    timer_.cancel();
    {
      std::lock_guard lock(mutex_);
      accepting_ = false;
      dropped_ += queue_.size();
      queue_.clear();
      queue_bytes_ = 0;
    }
    if (handlers_.on_close) handlers_.on_close(closed);
  }

  const WebSocketClientOptions options_;
  const WebSocketHandlers handlers_;
  const std::unique_ptr<Dialer> dialer_;
  std::atomic<uint64_t> dropped_ = 0;

  std::mutex mutex_;
  std::deque<Message> queue_;  // by mutex_
  size_t queue_bytes_ = 0;     // by mutex_; the sum of the costs in queue_
  bool accepting_ = true;      // by mutex_

  // Of the thread.
  Backoff backoff_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;  // until the next attempt, or the end of a close
  std::shared_ptr<Link> link_;       // null between two connections
  bool open_ = false;
  bool sending_ = false;
  std::optional<CloseWanted> close_wanted_;
  bool finished_ = false;

  std::thread thread_;
};

absl::StatusOr<std::unique_ptr<WebSocketClient>> WebSocketClient::Connect(
    WebSocketClientOptions options, WebSocketHandlers handlers) {
  absl::StatusOr<WebSocketUrl> url = ParseWebSocketUrl(options.url);
  if (!url.ok()) return url.status();
  for (const auto& [name, value] : options.query) {
    const char separator = url->target.find('?') == std::string::npos ? '?' : '&';
    url->target += fmt::format("{}{}={}", separator, PercentEncode(name), PercentEncode(value));
  }
  if (const absl::Status status = CheckHeaders(options); !status.ok()) return status;
  absl::StatusOr<std::unique_ptr<Dialer>> dialer =
      MakeDialer({.url = *std::move(url),
                  .headers = options.headers,
                  .subprotocols = options.subprotocols,
                  .ca_file = options.ca_file,
                  .connect_timeout = options.connect_timeout,
                  .idle_timeout = options.idle_timeout,
                  .message_bytes_max = options.message_bytes_max});
  if (!dialer.ok()) return dialer.status();
  return std::unique_ptr<WebSocketClient>(new WebSocketClient(
      std::make_unique<State>(std::move(options), std::move(handlers), *std::move(dialer))));
}

WebSocketClient::WebSocketClient(std::unique_ptr<State> state) : state_(std::move(state)) {}

WebSocketClient::~WebSocketClient() = default;

bool WebSocketClient::SendText(std::string utf8) { return state_->Send(std::move(utf8), false); }

bool WebSocketClient::SendBinary(std::string octets) {
  return state_->Send(std::move(octets), true);
}

void WebSocketClient::Close(uint16_t code, std::string reason) {
  state_->Close(code, std::move(reason));
}

uint64_t WebSocketClient::dropped() const { return state_->dropped(); }

}  // namespace wsrouter::client
