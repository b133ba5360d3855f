// The encoding of protocol buffers by hand: profile.proto needs three kinds of fields, and Debian's library would
// add a mebibyte and its start-up to a command that others start for each run of theirs.
#include <zlib.h>

#include <map>
#include <vector>

#include "tools/cli/failure.h"
#include "tools/cli/sites_export.h"

namespace tarn::cli {
namespace {

class ProtocolBuffer {
 public:
  void number(unsigned field, std::uint64_t value) {
    variable(std::uint64_t{field} << 3U);
    variable(value);
  }
  void bytes(unsigned field, std::string_view value) {
    variable((std::uint64_t{field} << 3U) | 2U);
    variable(value.size());
    text_ += value;
  }
  void message(unsigned field, const ProtocolBuffer& value) { bytes(field, value.text_); }
  // Of a field of packed numbers.
  void variable(std::uint64_t value) {
    while (value >= 0x80) {
      text_ += static_cast<char>(0x80U | (value & 0x7fU));
      value >>= 7U;
    }
    text_ += static_cast<char>(value);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string compress(const std::string& text) {
  z_stream stream = {};
  constexpr int gzip_window = 15 + 16;
  constexpr int memory_level = 8;
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, memory_level,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    throw Failure(exit_failure, "no memory to compress the profile");
  }
  std::string result(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  const int outcome = deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  if (outcome != Z_STREAM_END) {
    throw Failure(exit_failure, "the profile can't be compressed");
  }
  return result;
}

// profile.proto's numbers of fields.
namespace field {
constexpr unsigned sample_type = 1, sample = 2, location = 4, function = 5, string_table = 6,
                   period_type = 11, period = 12, default_sample_type = 14;
constexpr unsigned type_type = 1, type_unit = 2;
constexpr unsigned sample_location = 1, sample_value = 2;
constexpr unsigned location_id = 1, location_line = 4;
constexpr unsigned line_function = 1, line_line = 2;
constexpr unsigned function_id = 1, function_name = 2, function_system_name = 3,
                   function_filename = 4;
}  // namespace field

class Encoder {
 public:
  explicit Encoder(const SitesReport& report) : report_(report) { string(""); }

  std::string encode() {
    for (const char* const name :
         {"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"}) {
      profile_.message(field::sample_type,
                       type(name, std::string_view(name).ends_with("space") ? "bytes" : "count"));
    }
    for (const SiteFrame& frame : report_.frames) {
      add_location(frame.function, frame.file, frame.line);
    }
    for (const AllocationSite& site : report_.sites) {
      if (site.samples + site.live_samples != 0) {
        add_sample(site);
      }
    }
    profile_.message(field::period_type, type("space", "bytes"));
    profile_.number(field::period, report_.rate);
    profile_.number(field::default_sample_type, string("inuse_space"));
    for (const std::string_view text : strings_) {
      profile_.bytes(field::string_table, text);
    }
    return compress(profile_.text());
  }

 private:
  std::uint64_t string(std::string_view text) {
    const auto [place, is_new] =
        numbers_.try_emplace(clean_utf8(text), static_cast<std::uint64_t>(strings_.size()));
    if (is_new) {
      strings_.push_back(place->first);
    }
    return place->second;
  }

  ProtocolBuffer type(std::string_view name, std::string_view unit) {
    ProtocolBuffer result;
    result.number(field::type_type, string(name));
    result.number(field::type_unit, string(unit));
    return result;
  }

  // Each frame is a location with a function of its name and file.
  std::uint64_t add_location(std::string_view name, std::string_view file, std::uint64_t at_line) {
    const std::pair key(string(name), string(file));
    const auto [place, is_new] = functions_.try_emplace(key, functions_.size() + 1);
    if (is_new) {
      ProtocolBuffer function;
      function.number(field::function_id, place->second);
      function.number(field::function_name, key.first);
      function.number(field::function_system_name, key.first);
      function.number(field::function_filename, key.second);
      profile_.message(field::function, function);
    }
    ProtocolBuffer line;
    line.number(field::line_function, place->second);
    line.number(field::line_line, at_line);
    ProtocolBuffer location;
    location.number(field::location_id, ++locations_);
    location.message(field::location_line, line);
    profile_.message(field::location, location);
    return locations_;
  }

  void add_sample(const AllocationSite& site) {
    ProtocolBuffer places;
    if (site.frames.empty()) {
      places.variable(add_location(stackless_text(report_, site), "", 0));
    }
    for (const std::uint32_t frame : site.frames) {
      places.variable(std::uint64_t{frame} + 1);
    }
    ProtocolBuffer values;
    for (const std::uint64_t value :
         {site.allocated_blocks, site.allocated_bytes, site.live_blocks, site.live_bytes}) {
      values.variable(value);
    }
    ProtocolBuffer sample;
    sample.bytes(field::sample_location, places.text());
    sample.bytes(field::sample_value, values.text());
    profile_.message(field::sample, sample);
  }

  const SitesReport& report_;
  ProtocolBuffer profile_;
  std::map<std::string, std::uint64_t, std::less<>> numbers_;
  std::vector<std::string_view> strings_;  // of the map's keys, which stay where they are
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> functions_;
  std::uint64_t locations_ = 0;
};

}  // namespace

std::string sites_pprof(const SitesReport& report) { return Encoder(report).encode(); }

}  // namespace tarn::cli
