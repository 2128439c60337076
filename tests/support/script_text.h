#ifndef WSROUTER_TESTS_SUPPORT_SCRIPT_TEXT_H_
#define WSROUTER_TESTS_SUPPORT_SCRIPT_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace wsrouter {

// What is left of a fuzz script. Any octets are a script: behind its end there are zeros.
class ScriptText {
 public:
  explicit ScriptText(std::string_view text) : text_(text) {}

  bool empty() const { return text_.empty(); }

  uint8_t Octet() {
    if (text_.empty()) return 0;
    const auto octet = static_cast<uint8_t>(text_.front());
    text_.remove_prefix(1);
    return octet;
  }
  // 0 to 63: '0' is 0, '9' is 9, 'A' is 17, 'o' is 63.
  size_t Number() { return (Octet() - size_t{'0'}) & 0x3F; }
  // A number, then as many octets.
  std::string_view Piece() {
    const size_t size = Number();
    const std::string_view piece = text_.substr(0, size);
    text_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view text_;
};

}  // namespace wsrouter

#endif  // WSROUTER_TESTS_SUPPORT_SCRIPT_TEXT_H_
