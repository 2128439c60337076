#ifndef WSROUTER_TESTS_SUPPORT_REQUEST_HEADS_H_
#define WSROUTER_TESTS_SUPPORT_REQUEST_HEADS_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "gateway/request_head.h"

namespace wsrouter {

// How a parser ended, in a form that two of them can be compared by.
struct ParsedHead {
  RequestHeadParser::State state;
  size_t taken;  // octets of the input
  int status;
  std::string reason;
  std::string head;  // all fields, one a line, when complete

  friend bool operator==(const ParsedHead&, const ParsedHead&) = default;
};

// In pieces of `piece_bytes`, the first of `first_bytes`. Stops at the end of the head.
ParsedHead ParseInPieces(std::string_view wire, size_t first_bytes, size_t piece_bytes);

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_REQUEST_HEADS_H_
