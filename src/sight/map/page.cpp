#include "sight/map/page.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "sight/map/bad_snapshot.h"
#include "sight/map/snapshot_columns.h"
#include "sight/map/value_columns.h"
#include "sight/map/why_columns.h"

// The template's bytes, from the file, without a detour over the compiler.
asm(".section .rodata\n"
    ".global tarn_map_template_begin\n"
    ".global tarn_map_template_end\n"
    "tarn_map_template_begin:\n"
    ".incbin \"" TARN_MAP_TEMPLATE
    "\"\n"
    "tarn_map_template_end:\n"
    ".byte 0\n"
    ".section .text\n");

extern "C" const char tarn_map_template_begin[];
extern "C" const char tarn_map_template_end[];

namespace tarn::sight {
namespace {

// Stands in the template where the data goes.
constexpr std::string_view data_place = "<!--data-->";

std::string base64(const std::string& bytes) {
  static constexpr char digits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t left = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < left ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= left ? digits[group >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

void append_element(std::string& page, std::string_view name, const std::string& columns) {
  page += "<script type=\"application/octet-stream\" class=\"data\" data-name=\"";
  page += name;
  page += "\">";
  page += packed(columns);
  page += "</script>\n";
}

}  // namespace

std::string_view page_template() {
  return {tarn_map_template_begin,
          static_cast<std::size_t>(tarn_map_template_end - tarn_map_template_begin)};
}

std::string packed(const std::string& bytes) {
  z_stream stream = {};
  if (deflateInit(&stream, Z_DEFAULT_COMPRESSION) != Z_OK) {
    throw BadSnapshot("out of memory");
  }
  std::string deflated;
  std::vector<char> buffer(1 << 18);
  std::size_t given = 0;
  int result = Z_OK;
  do {
    // zlib counts in 32 bits.
    const std::size_t part = std::min<std::size_t>(bytes.size() - given, 1U << 30);
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + given));
    stream.avail_in = static_cast<uInt>(part);
    given += part;
    const int flush = given == bytes.size() ? Z_FINISH : Z_NO_FLUSH;
    do {
      stream.next_out = reinterpret_cast<Bytef*>(buffer.data());
      stream.avail_out = static_cast<uInt>(buffer.size());
      result = deflate(&stream, flush);
      deflated.append(buffer.data(), buffer.size() - stream.avail_out);
    } while (stream.avail_out == 0);
  } while (result != Z_STREAM_END);
  deflateEnd(&stream);
  return base64(deflated);
}

MapPage map_page(const std::string& file, const PageOptions& options, WhyColumns& why) {
  const SnapshotDatabase database(file);
  std::vector<std::int64_t> ids = snapshot_ids(database);
  if (options.snapshot) {
    if (std::find(ids.begin(), ids.end(), *options.snapshot) == ids.end()) {
      throw BadSnapshot("it has no snapshot " + std::to_string(*options.snapshot) + ", but " +
                        std::to_string(ids.front()) + " to " + std::to_string(ids.back()));
    }
    ids = {*options.snapshot};
  }
  const std::string_view whole = page_template();
  const std::size_t place = whole.find(data_place);
  if (place == std::string_view::npos) {
    throw BadSnapshot("this tarn was built with a page that has no place for data");
  }
  std::string page(whole.substr(0, place));
  std::size_t number = 0;
  why.choose(file, database, ids);
  ValueColumns values;
  values.choose(database, ids);
  const std::string names = read_columns(
      database, ids,
      [&](const std::string& columns) { append_element(page, std::to_string(number++), columns); },
      [&](Columns& columns, std::int64_t id, const Slots& slots) {
        why.add_to(columns, id, slots);
        values.add_to(columns, database, id, slots);
      });
  append_element(page, "names", names);
  if (options.live_seconds) {
    page += "<script type=\"application/octet-stream\" class=\"data\" data-name=\"live\">" +
            std::to_string(*options.live_seconds) + "</script>\n";
  }
  page += whole.substr(place + data_place.size());
  return {std::move(page), values.shown()};
}

}  // namespace tarn::sight
