#include "tools/cli/sites_report.h"

#include <fmt/format.h>

namespace tarn::cli {
namespace {

// The length of the well-formed character that `bytes` starts with (Unicode, table 3-7); zero: none.
std::size_t character_length(std::string_view bytes) {
  const auto byte = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
  };
  const auto is_tail = [&](std::size_t i) { return (byte(i) & 0xc0U) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xc2 && first < 0xe0) {
    return is_tail(1) ? 2 : 0;
  }
  if (first >= 0xe0 && first < 0xf0) {
    const bool fits = (first != 0xe0 || byte(1) >= 0xa0) && (first != 0xed || byte(1) < 0xa0);
    return fits && is_tail(1) && is_tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first < 0xf5) {
    const bool fits = (first != 0xf0 || byte(1) >= 0x90) && (first != 0xf4 || byte(1) < 0x90);
    return fits && is_tail(1) && is_tail(2) && is_tail(3) ? 4 : 0;
  }
  return 0;
}

// Controls of ASCII and of Latin-1, and the marks that turn the direction of a text around.
bool is_shown(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) {
    return first >= 0x20 && first != 0x7f;
  }
  if (character.size() == 2) {
    return first != 0xc2 || static_cast<unsigned char>(character[1]) >= 0xa0;
  }
  return !(character >= "\u202a" && character <= "\u202e") &&
         !(character >= "\u2066" && character <= "\u2069") && character != "\uffff" &&
         character != "\ufffe";
}

}  // namespace

std::uint64_t measure_of(const AllocationSite& site, SiteMeasure measure) {
  switch (measure) {
    case SiteMeasure::retained:
      return site.retained_bytes;
    case SiteMeasure::allocated:
      return site.allocated_bytes;
    case SiteMeasure::live:
      break;
  }
  return site.live_bytes;
}

std::string frame_text(const SiteFrame& frame) {
  return fmt::format("{} {}:{}", frame.function, frame.file, frame.line);
}

std::string stackless_text(const SitesReport& report, const AllocationSite& site) {
  return &site - report.sites.data() == 1 ? "(other sites)" : "(no Python stack)";
}

std::string clean_utf8(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const std::size_t length = character_length(bytes);
    const std::string_view character = bytes.substr(0, length == 0 ? 1 : length);
    if (length != 0 && is_shown(character)) {
      text += character;
    } else {
      for (const char byte : character) {
        text += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
      }
    }
    bytes.remove_prefix(character.size());
  }
  return text;
}

}  // namespace tarn::cli
