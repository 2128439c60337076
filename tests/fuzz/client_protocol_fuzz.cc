// Texts from strangers are frames that are in order, or are refused with a reason; what was said
// comes out as it was said.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <variant>

#include "core/client_protocol.h"
#include "core/error.h"

namespace wsrouter {
namespace {

void Require(bool holds, std::string_view what) {
  if (holds) return;
  std::cerr << "violated: " << what << '\n';
  std::abort();
}

void CheckRoom(const RoomName& room) {
  Require(CheckName("room", room.value).ok(), "rooms have names");
  for (const std::string& text : {JoinedText("i", room), LeftText("", room)}) {
    Require(std::holds_alternative<BadClientFrame>(ParseClientFrame(text)),
            "what a node says is nothing that a client may say");
  }
}

// The msg of a payload, made a message again, has that payload.
void CheckPayload(const client_frame::Message& message) {
  const FramePtr msg = MsgFrame(Everyone{}, *Frame::Make(message.opcode, message.payload));
  std::string text(msg->payload());
  Require(text.starts_with(R"({"msg":)"), "a msg says that it is one");
  text.replace(0, 6, R"({"message")");
  const auto again = ParseClientFrame(text);
  const auto* frame = std::get_if<ClientRequest>(&again);
  Require(frame != nullptr, "a msg is in order");
  const auto& read = std::get<client_frame::Message>(*frame);
  Require(read.opcode == message.opcode && read.payload == message.payload,
          "a payload arrives as it was sent");
}

void CheckFrame(const client_frame::Message& message) {
  CheckPayload(message);
  if (!message.room.value.empty()) CheckRoom(message.room);
  const FramePtr reply = Frame::Make(message.opcode, message.payload);
  Require(std::holds_alternative<BadClientFrame>(ParseClientFrame(AckText("i", reply.get()))),
          "what a node says is nothing that a client may say");
}
void CheckFrame(const client_frame::Ping& ping) {
  std::string text = PongText(ping.id, 0);
  Require(text.starts_with(R"({"pong":{)"), "a pong says that it is one");
  text.replace(2, 4, "ping");
  const auto again = ParseClientFrame(text);
  const auto* frame = std::get_if<ClientRequest>(&again);
  Require(frame != nullptr && std::get<client_frame::Ping>(*frame).id == ping.id,
          "an id comes back as it was sent");
}
void CheckFrame(const auto& about) { CheckRoom(about.room); }

void Check(std::string_view text) {
  const auto parsed = ParseClientFrame(text);
  if (const auto* bad = std::get_if<BadClientFrame>(&parsed)) {
    Require(!ReasonOf(bad->refusal).empty(), "a refusal has a reason");
    Require(bad->id.size() <= kFrameIdBytesMax, "an id is bounded");
    Require(!ErrorText(bad->id, bad->refusal, absl::ZeroDuration()).empty(), "errors are told");
    return;
  }
  std::visit([](const auto& frame) { CheckFrame(frame); }, std::get<ClientRequest>(parsed));
  std::visit(
      [](const auto& frame) { Require(frame.id.size() <= kFrameIdBytesMax, "an id is bounded"); },
      std::get<ClientRequest>(parsed));
}

}  // namespace
}  // namespace wsrouter

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  wsrouter::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
