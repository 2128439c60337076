// Finds functions by their braces: exact enough for a length limit, without being a parser.

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "tests/tidy/tidy.h"

namespace wsrouter::tidy {
namespace {

enum class Scope {
  kOpen,         // namespace, class: functions are looked for inside
  kFunction,     // measured as a whole, with every lambda and local class in it
  kInitializer,  // neither
};

bool HasWord(std::string_view text, std::string_view word) {
  const auto is_part = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_';
  };
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !is_part(text[at - 1])) && (end == text.size() || !is_part(text[end]))) {
      return true;
    }
  }
  return false;
}

bool HasTypeWord(std::string_view text) {
  return HasWord(text, "namespace") || HasWord(text, "class") || HasWord(text, "struct") ||
         HasWord(text, "union") || HasWord(text, "enum");
}

// `head` without a leading template<...>.
std::string_view WithoutTemplate(std::string_view head) {
  if (!head.starts_with("template")) return head;
  int depth = 0;
  for (size_t i = 0; i < head.size(); ++i) {
    if (head[i] == '<') ++depth;
    if (head[i] == '>' && --depth == 0) return head.substr(i + 1);
  }
  return head;
}

// An '=' outside of parentheses that is not part of an operator's name.
bool Assigns(std::string_view head) {
  if (HasWord(head, "operator")) return false;
  int depth = 0;
  for (const char c : head) {
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == '=' && depth == 0) return true;
  }
  return false;
}

// What the '{' behind `head` opens; `head` is what stands between it and the last ; { or }.
Scope Classify(std::string_view head) {
  head = WithoutTemplate(head);
  const size_t word = head.find_first_not_of(' ');
  head = word == std::string_view::npos ? std::string_view() : head.substr(word);
  // Behind the last parenthesis: `requires (X<T>) class Y`; at the start: `class alignas(64) Y`.
  const size_t paren = head.find_last_of("()");
  const std::string_view tail = paren == std::string_view::npos ? head : head.substr(paren + 1);
  const std::string_view first = head.substr(0, head.find(' '));
  if (HasTypeWord(tail) || HasTypeWord(first) || head == "extern" ||
      head.starts_with("extern \"")) {
    return Scope::kOpen;
  }
  if (Assigns(head)) {
    return head.find('[') != std::string_view::npos && head.ends_with(')') ? Scope::kFunction
                                                                           : Scope::kInitializer;
  }
  // `F() : a_` and `F() : a_(1), b_`: a member in the list of a constructor.
  const size_t behind = tail.find_first_not_of(' ');
  const bool member =
      behind != std::string_view::npos && (tail[behind] == ':' || tail[behind] == ',');
  return paren == std::string_view::npos || member ? Scope::kInitializer : Scope::kFunction;
}

class FunctionScan {
 public:
  FunctionScan(const SourceFile& file, std::string_view code) : file_(file), code_(code) {}

  std::vector<Finding> Run() {
    for (const char c : code_) {
      Take(c);
      if (c == '\n') ++line_;
    }
    return std::move(findings_);
  }

 private:
  void Take(char c) {
    if (closed_depth_ > 0) {
      if (c == '{') ++closed_depth_;
      if (c == '}' && --closed_depth_ == 0) Close();
      return;
    }
    if (c == '{') {
      Open();
    } else if (c == '}' || (c == ';' && head_parens_ == 0)) {
      Restart();
    } else {
      Extend(c);
    }
  }

  void Open() {
    while (head_.ends_with(' ')) head_.pop_back();
    // A brace among arguments, as in `F({1, 2})`, belongs to the expression around it.
    scope_ = head_parens_ > 0 ? Scope::kInitializer : Classify(head_);
    if (scope_ == Scope::kOpen) {
      Restart();
    } else {
      closed_depth_ = 1;
    }
  }

  void Close() {
    if (scope_ == Scope::kFunction) {
      const int lines = line_ - head_line_ + 1;
      if (lines > kFunctionLinesMax) {
        findings_.push_back(
            {file_.path, head_line_,
             fmt::format("function of {} lines, at most {} wanted", lines, kFunctionLinesMax)});
      }
      Restart();
    } else {
      head_ += "()";  // the head goes on: `F() : a_{a} {` reads like `F() : a_(a) {`
    }
  }

  void Extend(char c) {
    if (c == '(') ++head_parens_;
    if (c == ')') head_parens_ = std::max(0, head_parens_ - 1);
    const bool blank = std::isspace(static_cast<unsigned char>(c));
    if (blank && (head_.empty() || head_.ends_with(' '))) return;
    if (head_.empty()) head_line_ = line_;
    head_ += blank ? ' ' : c;
    if (head_ == "public:" || head_ == "private:" || head_ == "protected:") Restart();
  }

  void Restart() {
    head_.clear();
    head_parens_ = 0;
  }

  const SourceFile& file_;
  const std::string_view code_;
  std::vector<Finding> findings_;
  std::string head_;
  int head_line_ = 1;
  int head_parens_ = 0;
  int line_ = 1;
  int closed_depth_ = 0;  // braces open since the one that began a function or an initializer
  Scope scope_ = Scope::kOpen;
};

}  // namespace

std::vector<Finding> CheckFunctionLength(const SourceFile& file, const Parts& parts) {
  return FunctionScan(file, parts.code).Run();
}

}  // namespace wsrouter::tidy
