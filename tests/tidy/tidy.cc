#include "tests/tidy/tidy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wsrouter::tidy {
namespace {

using Paths = std::vector<std::string_view>;

// Words that code must not hold, where that goes (prefixes of paths), and where it does not.
struct Ban {
  std::string_view reason;
  std::vector<std::string_view> words;
  Paths where;
  Paths except;
};

const std::vector<Ban>& Bans() {
  static const std::vector<Ban> bans = {
      {"reads a clock: time is an argument, from base/clock.h",
       {"absl::Now(", "::now(", "clock_gettime(", "gettimeofday(", "time(nullptr", "time(NULL",
        "time(0"},
       {"server/", "tests/unit/", "tests/contract/"},
       {"server/base/clock.h", "server/base/clock.cc"}},
      {"sleeps: wait for a condition or an event",
       {"sleep(", "usleep(", "nanosleep(", "sleep_for(", "sleep_until(", "SleepFor("},
       {""},
       {"tests/support/", "tests/bench/"}},
      {"runs a shell", {"system(", "popen("}, {""}, {"tests/support/", "tests/e2e/"}},
      {"prints: the server speaks through base/log.h",
       {"printf(", "fprintf(", "vprintf(", "vfprintf(", "puts(", "fputs(", "putchar(", "std::cout",
        "std::cerr", "std::clog", "fmt::print("},
       {"server/"},
       {"server/main.cc", "server/base/log.cc"}},
      {"uses a container of std: absl::flat_hash_map or flat_hash_set wanted",
       {"std::unordered_map", "std::unordered_set", "std::unordered_multimap",
        "std::unordered_multiset"},
       {""},
       {}},
      {"draws random numbers: randomness comes in through the constructor",
       {"rand(", "srand(", "drand48(", "std::random_device"},
       {"server/", "tests/unit/", "tests/contract/"},
       {"server/base/random", "server/node"}},
      {"throws: an absl::Status wanted", {"throw"}, {"server/", "client/"}, {}},
      {"mocks: a fake that records wanted", {"MOCK_METHOD"}, {"tests/"}, {}},
  };
  return bans;
}

bool StartsWithAny(std::string_view text, const Paths& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return text.starts_with(prefix); });
}

bool IsIdentifier(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

// The next place at or behind `from` where `word` stands for itself: not as a part of a longer
// identifier, and not as a member of something, as in `x.time(0)`.
size_t FindWord(std::string_view text, std::string_view word, size_t from) {
  for (size_t at = text.find(word, from); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool begins =
        !IsIdentifier(word.front()) || at == 0 ||
        (!IsIdentifier(text[at - 1]) && text[at - 1] != '.' && !text.substr(0, at).ends_with("->"));
    const bool ends = !IsIdentifier(word.back()) || end == text.size() || !IsIdentifier(text[end]);
    if (begins && ends) return at;
  }
  return std::string_view::npos;
}

int LineAt(std::string_view text, size_t at) {
  return 1 + static_cast<int>(std::count(text.begin(), text.begin() + static_cast<long>(at), '\n'));
}

void CheckWords(const SourceFile& file, const Parts& parts, std::vector<Finding>& findings) {
  for (const Ban& ban : Bans()) {
    if (!StartsWithAny(file.path, ban.where) || StartsWithAny(file.path, ban.except)) continue;
    for (const std::string_view word : ban.words) {
      for (size_t at = FindWord(parts.code, word, 0); at != std::string_view::npos;
           at = FindWord(parts.code, word, at + 1)) {
        findings.push_back(
            {file.path, LineAt(parts.code, at), fmt::format("'{}' {}", word, ban.reason)});
      }
    }
  }
  for (const std::string_view word : {"TODO", "FIXME", "XXX"}) {
    for (size_t at = FindWord(parts.comments, word, 0); at != std::string_view::npos;
         at = FindWord(parts.comments, word, at + 1)) {
      findings.push_back({file.path, LineAt(parts.comments, at), fmt::format("'{}' left", word)});
    }
  }
}

void CheckFileLength(const SourceFile& file, std::vector<Finding>& findings) {
  const auto lines = std::count(file.text.begin(), file.text.end(), '\n');
  if (lines > kFileLinesMax) {
    findings.push_back({file.path, static_cast<int>(lines),
                        fmt::format("{} lines, at most {} wanted", lines, kFileLinesMax)});
  }
}

// The guard spells the path that a header is included by: from server/, or else from the root; an
// installed header's is client/ and the path below include/wsrouter/.
std::string GuardOf(std::string_view file) {
  constexpr std::string_view kInstalled = "/include/wsrouter/";
  std::string path(file);
  const size_t installed = path.find(kInstalled);
  if (installed != std::string::npos) {
    path = "client/" + path.substr(installed + kInstalled.size());
  } else if (path.starts_with("server/")) {
    path.erase(0, path.find('/') + 1);
  }
  std::string guard = "WSROUTER_";
  for (const char c : path) {
    guard += IsIdentifier(c) ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : '_';
  }
  return guard + '_';
}

void CheckGuard(const SourceFile& file, std::vector<Finding>& findings) {
  if (!file.path.ends_with(".h")) return;
  const std::string guard = GuardOf(file.path);
  const size_t opens = file.text.find(fmt::format("#ifndef {0}\n#define {0}\n", guard));
  if (opens == std::string::npos) {
    findings.push_back({file.path, 1, fmt::format("no include guard {}", guard)});
  }
}

}  // namespace

std::vector<Finding> Check(const SourceFile& file) {
  const Parts parts = TakeApart(file.text);
  std::vector<Finding> findings = CheckIncludes(file);
  CheckWords(file, parts, findings);
  CheckFileLength(file, findings);
  CheckGuard(file, findings);
  for (Finding& finding : CheckFunctionLength(file, parts)) findings.push_back(std::move(finding));
  return findings;
}

std::vector<SourceFile> ReadTree(const std::string& root) {
  std::vector<SourceFile> files;
  for (const std::string_view folder : {"server", "client", "tests"}) {
    const std::filesystem::path top = std::filesystem::path(root) / folder;
    for (auto it = std::filesystem::recursive_directory_iterator(top);
         it != std::filesystem::recursive_directory_iterator(); ++it) {
      if (it->path().filename() == "node_modules") it.disable_recursion_pending();
      const std::string extension = it->path().extension().string();
      if (!it->is_regular_file() || (extension != ".h" && extension != ".cc")) continue;
      std::ifstream stream(it->path(), std::ios::binary);
      files.push_back({std::filesystem::relative(it->path(), root).generic_string(),
                       {std::istreambuf_iterator<char>(stream), {}}});
    }
  }
  return files;
}

}  // namespace wsrouter::tidy
