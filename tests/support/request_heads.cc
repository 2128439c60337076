#include "tests/support/request_heads.h"

namespace wsrouter {
namespace {

std::string Describe(const RequestHead& head) {
  std::string text = head.method + '\n' + head.target + '\n' + head.path + '\n' + head.query +
                     '\n' + head.host + '\n';
  for (const RequestHeader& header : head.headers) text += header.name + ':' + header.value + '\n';
  return text;
}

}  // namespace

ParsedHead ParseInPieces(std::string_view wire, size_t first_bytes, size_t piece_bytes) {
  RequestHeadParser parser;
  size_t taken = 0;
  const auto feed = [&](std::string_view piece) {
    const size_t given = piece.size();
    parser.Feed(piece);
    taken += given - piece.size();
  };
  feed(wire.substr(0, first_bytes));
  for (size_t at = first_bytes; at < wire.size(); at += piece_bytes) {
    if (parser.state() != RequestHeadParser::State::kNeedMore) break;
    feed(wire.substr(at, piece_bytes));
  }
  const bool complete = parser.state() == RequestHeadParser::State::kComplete;
  return {parser.state(), taken, parser.refusal_status(), std::string(parser.refusal_reason()),
          complete ? Describe(parser.head()) : std::string()};
}

}  // namespace wsrouter
