#ifndef WSROUTER_TESTS_TIDY_TIDY_H_
#define WSROUTER_TESTS_TIDY_TIDY_H_

#include <string>
#include <string_view>
#include <vector>

namespace wsrouter::tidy {

inline constexpr int kFileLinesMax = 300;
inline constexpr int kFunctionLinesMax = 60;

struct Finding {
  std::string path;  // from the root of the tree, as in SourceFile
  int line = 0;
  std::string message;
};

struct SourceFile {
  std::string path;
  std::string text;
};

// A C++ text taken apart. Both parts have the length and the line breaks of the whole, with spaces
// for what is not theirs: code without comments, literals and preprocessor lines; comments alone.
struct Parts {
  std::string code;
  std::string comments;
};
Parts TakeApart(std::string_view text);

// Checks one C++ file against every rule of the tree. Rules go by the path: it need not exist.
std::vector<Finding> Check(const SourceFile& file);

// The C++ files of server/, client/ and tests/ below `root`.
std::vector<SourceFile> ReadTree(const std::string& root);

// The rules that need more than a table.
std::vector<Finding> CheckFunctionLength(const SourceFile& file, const Parts& parts);
std::vector<Finding> CheckIncludes(const SourceFile& file);

}  // namespace wsrouter::tidy

#endif  // WSROUTER_TESTS_TIDY_TIDY_H_
