#include "base/small_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <system_error>

#include "base/strings.h"
#include "fmt/format.h"

namespace wsrouter {
namespace {

constexpr size_t kBytesMax = size_t{1} << 20;

int64_t Nanos(const timespec& time) { return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec; }

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  std::string text(kBytesMax + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || (stream.fail() && !stream.eof())) {
    return absl::NotFoundError(AbslView(
        fmt::format("{} cannot be read: {}", path, std::generic_category().message(errno))));
  }
  text.resize(static_cast<size_t>(stream.gcount()));
  if (text.size() > kBytesMax) {
    return absl::InvalidArgumentError(AbslView(fmt::format("{} is larger than 1MiB", path)));
  }
  return text;
}

FileStamp StampOf(const std::string& path) {
  struct stat found {};
  if (path.empty() || stat(path.c_str(), &found) != 0) return {};
  return {.inode = found.st_ino,
          .size = found.st_size,
          .changed_nanos = Nanos(found.st_mtim),
          .moved_nanos = Nanos(found.st_ctim)};
}

}  // namespace wsrouter
