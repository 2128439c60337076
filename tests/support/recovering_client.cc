#include "tests/support/recovering_client.h"

#include "absl/strings/numbers.h"
#include "base/strings.h"
#include "fmt/format.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/support/wire.h"

namespace wsrouter {
namespace {

Position PositionIn(const nlohmann::json& body) {
  Position position = {.offset = 0, .epoch = body.value("epoch", "")};
  EXPECT_TRUE(absl::SimpleAtoi(AbslView(body.value("offset", "")), &position.offset)) << body;
  return position;
}

}  // namespace

bool RecoveringClient::Connect(const std::string& address) {
  joined_ = false;
  socket_.emplace(address);
  const std::string offer = token_.empty() ? "" : ", wsrouter.session." + token_;
  if (!socket_->connected() ||
      !socket_->Send(UpgradeRequest("/ws?" + name_,
                                    "Sec-WebSocket-Protocol: wsrouter.v1.json" + offer + "\r\n")) ||
      socket_->ReadHttp().status != 101) {
    return false;
  }
  return socket_->Send(ClientText(
      fmt::format(R"({{"join":{{"id":"j","room":"{}","since":{{"offset":"{}","epoch":"{}"}}}}}})",
                  room_, at_.offset, at_.epoch)));
}

bool RecoveringClient::HearTo(uint64_t offset) {
  while (at_.offset < offset) {
    if (!Hear()) return false;
  }
  return true;
}

bool RecoveringClient::Hear() {
  const std::string frame = socket_->ReadFrame();
  if (!frame.starts_with("text ")) return frame.starts_with("ping");
  const auto json = nlohmann::json::parse(frame.substr(5));
  const std::string kind = json.begin().key();
  const auto& body = json.begin().value();
  if (kind == "welcome") {
    token_ = body.value("session", token_);
    if (body.value("resumed", false)) ++resumes_;
  } else if (kind == "joined" && body.contains("id")) {
    joined_ = true;
    ++joins_;
    if (!body.value("recovered", false)) {
      ++losses_;
      at_ = PositionIn(body["since"]);
    }
    EXPECT_EQ(PositionIn(body["since"]).offset, at_.offset);
  } else if (kind == "msg") {
    const Position next = PositionIn(body);
    EXPECT_TRUE(joined_) << "before the answer to its join: " << frame;
    EXPECT_EQ(next.offset, at_.offset + 1) << frame;
    at_ = next;
    texts_.push_back(body["text"]);
  } else if (kind == "gap") {
    ++losses_;
  } else if (kind == "left") {
    left_ = true;
  } else if (kind != "joined") {
    ADD_FAILURE() << frame;
  }
  return true;
}

}  // namespace wsrouter
