// The page of tarn map: its template, which web/map/ is built into, and a snapshot file's columns in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tarn::sight {

// The page without data, as web/map/build.mjs wrote it.
[[nodiscard]] std::string_view page_template();

class WhyColumns;

struct PageOptions {
  std::optional<std::int64_t> snapshot;  // one of the file's; otherwise all
  // Of a page that is served: it offers a new snapshot, at the address "new", and asks for one every so many
  // seconds; 0: when it is told to.
  std::optional<unsigned> live_seconds;
};

struct MapPage {
  std::string text;
  std::uint64_t values = 0;  // of so many objects it has what they contain
};

// A page that shows the snapshots of the file, with the answers of `why`. Throws BadSnapshot.
[[nodiscard]] MapPage map_page(const std::string& file, const PageOptions& options,
                               WhyColumns& why);

// Deflated (zlib's format) and in base64, which no script element can be closed with.
[[nodiscard]] std::string packed(const std::string& bytes);

}  // namespace tarn::sight
