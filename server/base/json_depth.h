#ifndef WSROUTER_BASE_JSON_DEPTH_H_
#define WSROUTER_BASE_JSON_DEPTH_H_

#include <string_view>

namespace wsrouter {

// Whether objects and lists of a JSON text lie in each other more than `most` deep. One pass over
// the octets, before a parser sees them. Of a text that is no JSON the answer means nothing.
inline bool NestsDeeper(std::string_view json, int most) {
  int depth = 0;
  bool in_text = false;
  for (size_t i = 0; i < json.size(); ++i) {
    switch (json[i]) {
      case '"':
        in_text = !in_text;
        break;
      case '\\':
        if (in_text) ++i;  // the octet behind it ends nothing
        break;
      case '[':
      case '{':
        if (!in_text && ++depth > most) return true;
        break;
      case ']':
      case '}':
        if (!in_text) --depth;
        break;
      default:
        break;
    }
  }
  return false;
}

}  // namespace wsrouter

#endif  // WSROUTER_BASE_JSON_DEPTH_H_
