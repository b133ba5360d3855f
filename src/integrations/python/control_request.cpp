#include "integrations/python/control_request.h"

#include <cstring>

namespace tarn::python {

Request parse_request(const char* bytes, std::size_t size) noexcept {
  const std::size_t seen = size < longest_request ? size : longest_request;
  const auto* const end =
      seen == 0 ? nullptr : static_cast<const char*>(std::memchr(bytes, '\n', seen));
  if (end == nullptr) {
    return size < longest_request ? Request::incomplete : Request::too_long;
  }
  const auto is = [&](const char* word) noexcept {
    const std::size_t length = std::strlen(word);
    return static_cast<std::size_t>(end - bytes) == length && std::memcmp(bytes, word, length) == 0;
  };
  if (is("release")) {
    return Request::release;
  }
  if (is("snapshot")) {
    return Request::snapshot;
  }
  if (is("snapshot values")) {
    return Request::snapshot_with_values;
  }
  if (is("sites")) {
    return Request::sites;
  }
  if (is("pulse")) {
    return Request::pulse;
  }
  return is("statistics") ? Request::statistics : Request::unknown;
}

}  // namespace tarn::python
