#include "integrations/python/version.h"

#include <cstring>

namespace tarn::python {

namespace {

// At most three digits; moves `text` behind them.
int parse_number(const char*& text) noexcept {
  int number = 0;
  for (int digits = 0; digits < 3 && *text >= '0' && *text <= '9'; ++digits, ++text) {
    number = 10 * number + (*text - '0');
  }
  return number;
}

}  // namespace

Version parse_version(const char* text) noexcept {
  Version version;
  const char* rest = text;
  version.major = parse_number(rest);
  if (*rest != '.') {
    return Version();
  }
  ++rest;
  version.minor = parse_number(rest);
  version.free_threaded = std::strstr(text, "free-threading") != nullptr;
  return version;
}

const char* reason_against(const Version& version) noexcept {
  if (version.free_threaded) {
    return "a free-threaded build finds its objects by walking its own allocator's heaps, so that "
           "one "
           "can't be replaced; use a build with a GIL";
  }
  if (version.major != 3 || version.minor < 8 || version.minor > 14) {
    return "this version of Python isn't supported; 3.8 to 3.14 are";
  }
  return nullptr;
}

}  // namespace tarn::python
