#include <cctype>
#include <string>
#include <string_view>

#include "tests/tidy/tidy.h"

namespace wsrouter::tidy {
namespace {

bool IsIdentifier(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// One pass over the text; `at_` only grows, so every octet is looked at a bounded number of times.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {
    for (std::string* part : {&parts_.code, &parts_.comments}) {
      part->assign(text.size(), ' ');
      for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\n') (*part)[i] = '\n';
      }
    }
  }

  Parts Run() {
    while (at_ < text_.size()) Step();
    return std::move(parts_);
  }

 private:
  void Step() {
    const char c = text_[at_];
    if (Starts("//")) {
      Comment(LineEnd());
    } else if (Starts("/*")) {
      const size_t end = text_.find("*/", at_ + 2);
      Comment(end == std::string_view::npos ? text_.size() : end + 2);
    } else if (c == '#' && FirstOnItsLine()) {
      Directive();
    } else if (c == '"' && at_ > 0 && text_[at_ - 1] == 'R') {
      RawString();
    } else if (c == '"') {
      Quoted('"');
    } else if (c == '\'' && (at_ == 0 || !IsIdentifier(text_[at_ - 1]))) {
      Quoted('\'');  // behind a digit it separates digits
    } else {
      parts_.code[at_] = c;
      ++at_;
    }
  }

  bool Starts(std::string_view prefix) const { return text_.substr(at_).starts_with(prefix); }

  size_t LineEnd() const {
    const size_t end = text_.find('\n', at_);
    return end == std::string_view::npos ? text_.size() : end;
  }

  bool FirstOnItsLine() const {
    size_t i = at_;
    while (i > 0 && (text_[i - 1] == ' ' || text_[i - 1] == '\t')) --i;
    return i == 0 || text_[i - 1] == '\n';
  }

  void Comment(size_t end) {
    for (; at_ < end; ++at_) parts_.comments[at_] = text_[at_];
  }

  // Up to the end of the line that is not continued; a comment behind it stays a comment.
  void Directive() {
    while (at_ < text_.size()) {
      if (Starts("//") || Starts("/*")) return;
      if (text_[at_] == '\n' && text_[at_ - 1] != '\\') return;
      ++at_;
    }
  }

  // The quotes stay in the code, so that "" is still an argument.
  void Quoted(char quote) {
    parts_.code[at_++] = quote;
    while (at_ < text_.size() && text_[at_] != quote && text_[at_] != '\n') {
      at_ += text_[at_] == '\\' ? 2 : 1;
    }
    if (at_ < text_.size() && text_[at_] == quote) parts_.code[at_++] = quote;
  }

  void RawString() {
    const size_t open = text_.find('(', at_);
    if (open == std::string_view::npos) {
      at_ = text_.size();
      return;
    }
    const std::string close = ")" + std::string(text_.substr(at_ + 1, open - at_ - 1)) + "\"";
    const size_t end = text_.find(close, open);
    at_ = end == std::string_view::npos ? text_.size() : end + close.size();
  }

  const std::string_view text_;
  size_t at_ = 0;
  Parts parts_;
};

}  // namespace

Parts TakeApart(std::string_view text) { return Scanner(text).Run(); }

}  // namespace wsrouter::tidy
