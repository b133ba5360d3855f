#include "tools/cli/held_output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "tools/cli/console.h"
#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tarn::cli {

HeldOutput::HeldOutput(const std::string& path) : is_named_(!path.empty()) {
  if (is_named_) {
    file_.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
    if (file_.number() < 0) {
      throw Failure(exit_failure,
                    fmt::format("can't write {}: {}", escape(path), std::strerror(errno)));
    }
    return;
  }
  const char* const folder = std::getenv("TMPDIR");
  std::string name = folder == nullptr || *folder == '\0' ? "/tmp" : folder;
  name += "/tarn-top-XXXXXX";
  file_.reset(::mkostemp(name.data(), O_APPEND | O_CLOEXEC));
  if (file_.number() < 0) {
    throw Failure(exit_failure,
                  fmt::format("can't write to {}: {}", escape(name), std::strerror(errno)));
  }
  ::unlink(name.c_str());
}

void HeldOutput::show() {
  char part[16 * 1024];
  ssize_t got;
  while (!is_named_ && (got = ::pread(file_.number(), part, sizeof part, shown_)) > 0) {
    print(std::string_view(part, static_cast<std::size_t>(got)));
    shown_ += got;
  }
}

}  // namespace tarn::cli
