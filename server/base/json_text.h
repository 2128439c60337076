#ifndef WSROUTER_BASE_JSON_TEXT_H_
#define WSROUTER_BASE_JSON_TEXT_H_

#include <string>
#include <string_view>

namespace wsrouter {

// Appends `text` as a string of JSON (RFC 8259 section 7), quotes included. Only what must be is
// escaped: quotes, backslashes and control characters below U+0020. What is not UTF-8 becomes
// U+FFFD, one for each longest beginning of a sequence (Unicode 15, section 3.9).
void AppendQuoted(std::string& into, std::string_view text);

inline std::string Quoted(std::string_view text) {
  std::string quoted;
  AppendQuoted(quoted, text);
  return quoted;
}

}  // namespace wsrouter

#endif  // WSROUTER_BASE_JSON_TEXT_H_
