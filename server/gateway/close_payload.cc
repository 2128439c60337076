#include "gateway/close_payload.h"

#include "gateway/utf8.h"

namespace wsrouter {

bool IsSendableCloseCode(uint16_t code) {
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
         (code >= 3000 && code <= 4999);
}

std::string EncodeClosePayload(uint16_t code, std::string_view reason) {
  std::string payload;
  if (!IsSendableCloseCode(code)) return payload;
  payload.push_back(static_cast<char>(code >> 8));
  payload.push_back(static_cast<char>(code & 0xFF));
  payload.append(Utf8Prefix(reason, kControlPayloadBytesMax - payload.size()));
  return payload;
}

}  // namespace wsrouter
