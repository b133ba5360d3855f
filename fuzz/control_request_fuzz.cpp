// Bytes of a client, as they arrive: what is read of them doesn't depend on the pieces they come in, and a
// request is known after longest_request bytes at the latest.

#include "integrations/python/control_request.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

using namespace tarn::python;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

// What the request must be, written another way.
Request expected(std::string_view bytes) {
  const std::size_t end = bytes.substr(0, longest_request).find('\n');
  if (end == std::string_view::npos) {
    return bytes.size() < longest_request ? Request::incomplete : Request::too_long;
  }
  const std::string line(bytes.substr(0, end));
  return line == "release"           ? Request::release
         : line == "statistics"      ? Request::statistics
         : line == "snapshot"        ? Request::snapshot
         : line == "snapshot values" ? Request::snapshot_with_values
         : line == "sites"           ? Request::sites
         : line == "pulse"           ? Request::pulse
                                     : Request::unknown;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Request known = Request::incomplete;
  for (std::size_t arrived = 0; arrived <= size; ++arrived) {
    // In memory of its own, so that a byte read behind it is found.
    const std::string bytes(reinterpret_cast<const char*>(data), arrived);
    const Request request = parse_request(bytes.data(), bytes.size());
    require(request == expected(bytes));
    require(known == Request::incomplete || request == known);
    require(arrived < longest_request || request != Request::incomplete);
    known = request;
  }
  return 0;
}
