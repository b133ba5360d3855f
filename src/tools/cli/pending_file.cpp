#include "tools/cli/pending_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

// Names of descriptors that are open already. Renaming a file over what they lead to would take it
// away from whoever holds it.
bool names_descriptor(std::string_view path) {
  return path.starts_with("/dev/std") || path.starts_with("/dev/fd/") || path.starts_with("/proc/");
}

}  // namespace

PendingFile::PendingFile(const std::string& path) : shown_(escape(path)), target_(path) {
  struct stat status;
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) {
    fail(exit_usage, EISDIR);
  }
  if (exists && (!S_ISREG(status.st_mode) || names_descriptor(path))) {
    descriptor_ = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY);
    if (descriptor_ < 0) {
      fail(exit_usage, errno);
    }
    return;
  }
  std::error_code error;
  if (const auto real = std::filesystem::weakly_canonical(path, error); !error) {
    target_ = real.string();
  }
  temporary_ = target_ + ".XXXXXX";
  descriptor_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
  if (descriptor_ < 0) {
    const int reason = errno;
    temporary_.clear();
    fail(exit_usage, reason);
  }
}

PendingFile::~PendingFile() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
  if (!temporary_.empty()) {
    ::unlink(temporary_.c_str());
  }
}

void PendingFile::commit(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor_, text.data(), text.size());
    if (written < 0 && errno != EINTR) {
      fail(exit_failure, errno);
    }
    if (written > 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  if (temporary_.empty()) {
    return;
  }
  if (::fsync(descriptor_) != 0 || ::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail(exit_failure, errno);
  }
  temporary_.clear();
}

void PendingFile::fail(int status, int error) const {
  throw Failure(status, fmt::format("can't write {}: {}", shown_, std::strerror(error)));
}

}  // namespace tarn::cli
