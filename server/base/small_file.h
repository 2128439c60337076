#ifndef WSROUTER_BASE_SMALL_FILE_H_
#define WSROUTER_BASE_SMALL_FILE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace wsrouter {

// All of a file of a megabyte at most. The message of an error names the file.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);

// What differs when a file was written, or another was put in its place. All zero for none.
struct FileStamp {
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t changed_nanos = 0;  // what is in it
  int64_t moved_nanos = 0;    // or what is said of it

  bool operator==(const FileStamp&) const = default;
};
FileStamp StampOf(const std::string& path);

}  // namespace wsrouter

#endif  // WSROUTER_BASE_SMALL_FILE_H_
