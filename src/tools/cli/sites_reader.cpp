#include "tools/cli/sites_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "tools/cli/report_reader.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

constexpr std::string_view first_line = "tarn-sites 1\n";
constexpr std::size_t most_sites = 65536;  // 2^16 × 2^47 fits
constexpr std::uint64_t most_bytes_of_site = std::uint64_t{1} << 47;
constexpr std::size_t most_frames = 1U << 20U;
constexpr std::size_t most_strings = 1U << 20U;
constexpr std::size_t most_depth = 256;
constexpr std::size_t most_string_bytes = 1024;

std::string shown(std::string_view value) { return shorten(escape(value.substr(0, 200)), 40); }

// -1: none.
int hexadecimal(char digit) {
  return digit >= '0' && digit <= '9'   ? digit - '0'
         : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                                        : -1;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  SitesReport read() {
    if (text_.size() > sites_size_limit) {
      throw BadReport(fmt::format("longer than {}", bytes_text(sites_size_limit)));
    }
    if (!text_.starts_with(first_line)) {
      line_ = 1;
      refuse(fmt::format("not 'tarn-sites 1' but '{}'", shown(text_.substr(0, text_.find('\n')))));
    }
    for (line_ = 1; !text_.empty(); ++line_) {
      const std::size_t end = text_.find('\n');
      if (end == std::string_view::npos) {
        throw IncompleteReport();
      }
      const std::string_view line = text_.substr(0, end);
      text_.remove_prefix(end + 1);
      if (line == "end") {
        ++line_;
        if (!text_.empty()) {
          refuse("something stands behind 'end'");
        }
        return finish();
      }
      if (line_ != 1) {
        take(line);
      }
    }
    throw IncompleteReport();
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw BadReport(fmt::format("line {}: {}", line_, what));
  }

  void take(std::string_view line) {
    if (std::ranges::any_of(line, [](char c) { return c < 0x20 || c > 0x7e; })) {
      refuse("a byte that isn't printable");
    }
    const std::size_t space = line.find(' ');
    const std::string_view key = line.substr(0, space);
    if (space == std::string_view::npos || space + 1 == line.size()) {
      refuse(fmt::format("'{}' has no value", shown(key)));
    }
    rest_ = line.substr(space + 1);
    if (key == "site") {
      take_site();
    } else if (key == "frame") {
      take_frame();
    } else if (key == "string") {
      take_string();
    } else {
      take_fact(key);
    }
  }

  void take_fact(std::string_view key) {
    if (facts_.size() < 64 && !facts_.insert(std::string(key)).second) {
      refuse(fmt::format("{} occurs twice", shown(key)));
    }
    if (rest_.size() > report_line_limit) {
      refuse(fmt::format("longer than {} bytes", report_line_limit));
    }
    if (key == "program") {
      report_.program = rest_;
    } else if (key == "python") {
      report_.python = rest_;
    } else if (key == "pid") {
      report_.pid = only_number();
    } else if (key == "rate") {
      report_.rate = only_number();
    } else if (key == "frames") {
      report_.most_frames = only_number();
    } else if (key == "samples") {
      report_.samples = only_number();
    } else if (key == "not_followed") {
      report_.not_followed = only_number();
    }
  }

  void take_string() {
    if (strings_.size() == most_strings) {
      refuse("too many strings");
    }
    if (rest_.front() != '=') {
      refuse("no '=' before a string");
    }
    std::string string;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      if (rest_[i] != '\\') {
        string += rest_[i];
        continue;
      }
      const int high = i + 3 < rest_.size() && rest_[i + 1] == 'x' ? hexadecimal(rest_[i + 2]) : -1;
      const int low = high < 0 ? -1 : hexadecimal(rest_[i + 3]);
      if (low < 0) {
        refuse("a backslash without xNN behind it");
      }
      string += static_cast<char>(high * 16 + low);
      i += 3;
    }
    if (string.size() > most_string_bytes) {
      refuse(fmt::format("a string longer than {} bytes", most_string_bytes));
    }
    strings_.push_back(std::move(string));
  }

  void take_frame() {
    if (report_.frames.size() == most_frames) {
      refuse("too many frames");
    }
    const std::uint64_t function = number();
    const std::uint64_t file = number();
    SiteFrame frame;
    frame.line = only_number();
    if (function >= strings_.size() || file >= strings_.size()) {
      refuse("a frame names a string that isn't there");
    }
    frame.function = strings_[function];
    frame.file = strings_[file];
    report_.frames.push_back(std::move(frame));
  }

  void take_site() {
    if (report_.sites.size() == most_sites) {
      refuse("too many sites");
    }
    AllocationSite site;
    for (std::uint64_t AllocationSite::*member :
         {&AllocationSite::live_bytes, &AllocationSite::live_blocks,
          &AllocationSite::retained_bytes, &AllocationSite::allocated_bytes,
          &AllocationSite::allocated_blocks, &AllocationSite::samples,
          &AllocationSite::live_samples}) {
      site.*member = number();
      if (site.*member > most_bytes_of_site) {
        refuse("more bytes than there are addresses");
      }
    }
    site.is_cut = number() != 0;
    while (!rest_.empty()) {
      const std::uint64_t frame = number();
      if (frame >= report_.frames.size()) {
        refuse("a site names a frame that isn't there");
      }
      if (site.frames.size() == most_depth) {
        refuse("a stack is too deep");
      }
      site.frames.push_back(static_cast<std::uint32_t>(frame));
    }
    report_.sites.push_back(std::move(site));
  }

  // The next number of the line; a space behind it is passed over.
  std::uint64_t number() {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    const auto length = static_cast<std::size_t>(end - rest_.data());
    if (error != std::errc() || value > report_count_limit ||
        (length != rest_.size() && rest_[length] != ' ')) {
      refuse(fmt::format("'{}' is not a number", shown(rest_.substr(0, rest_.find(' ')))));
    }
    rest_.remove_prefix(std::min(length + 1, rest_.size()));
    return value;
  }
  std::uint64_t only_number() {
    const std::uint64_t value = number();
    if (!rest_.empty()) {
      refuse(fmt::format("'{}' stands behind a number", shown(rest_)));
    }
    return value;
  }

  SitesReport finish() {
    for (const char* const needed : {"pid", "rate", "samples"}) {
      if (!facts_.contains(needed)) {
        throw BadReport(fmt::format("{} is missing", needed));
      }
    }
    if (report_.rate == 0) {
      throw BadReport("rate is 0");
    }
    if (report_.sites.size() < 2) {
      throw BadReport("the first two sites are missing");
    }
    return std::move(report_);
  }

  std::string_view text_;
  std::string_view rest_;  // of the line
  std::size_t line_ = 0;
  std::set<std::string> facts_;
  std::vector<std::string> strings_;
  SitesReport report_;
};

}  // namespace

SitesReport read_sites(std::string_view text) { return Reader(text).read(); }

}  // namespace tarn::cli
