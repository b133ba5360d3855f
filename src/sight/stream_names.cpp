// What has a name: types, roots, threads, frames; the sites where blocks were allocated; and what objects contain.
#include <cstring>
#include <string>
#include <tuple>
#include <utility>

#include "sight/clean_text.h"
#include "sight/stream_reader.h"
#include "sight/stream_records.h"

namespace tarn::sight {

namespace {

using stream::highest_address;
using stream::read;
using stream::read_many;
using stream::refuse;

constexpr std::uint32_t deepest_stack = 256;

std::pair<std::string, std::string> two_texts(std::string_view text) {
  const std::size_t middle = text.find('\0');
  if (middle == std::string_view::npos) {
    refuse("a record of names has no second one");
  }
  return {clean_text(text.substr(0, middle)), clean_text(text.substr(middle + 1))};
}

}  // namespace

void StreamReader::take_named(RecordKind kind, std::string_view payload) {
  if (kind == RecordKind::type) {
    Type type;
    static_cast<TypeRecord&>(type) = read<TypeRecord>(payload, "a type");
    std::tie(type.name, type.module) = two_texts(payload.substr(sizeof(TypeRecord)));
    constexpr std::int64_t largest = std::int64_t{1} << 32;
    if (type.id != capture_.types.size() || type.basicsize < 0 || type.basicsize > largest ||
        type.itemsize < 0 || type.itemsize > largest || type.is_heap_type > 1 ||
        type.address >= highest_address) {
      refuse("a type's numbers can't be");
    }
    capture_.types.push_back(std::move(type));
  } else if (kind == RecordKind::root) {
    constexpr const char* kinds[] = {"global", "local", "module", "type", "interpreter"};
    const auto record = read<RootRecord>(payload, "a root");
    if (record.kind > RootKind::interpreter) {
      refuse("a root of a kind that isn't known");
    }
    Root root;
    root.kind = kinds[static_cast<std::size_t>(record.kind)];
    root.name = clean_text(payload.substr(sizeof(record)));
    root.is_local = record.kind == RootKind::local;
    root.frame = record.frame;
    root.thread = record.thread;
    capture_.roots.push_back(std::move(root));
    root_records_.push_back(record);
  } else if (kind == RecordKind::thread) {
    const auto record = read<ThreadRecord>(payload, "a thread");
    capture_.threads.push_back({record.id, clean_text(payload.substr(sizeof(record)))});
  } else if (kind == RecordKind::frame) {
    Frame frame;
    static_cast<FrameRecord&>(frame) = read<FrameRecord>(payload, "a frame");
    std::tie(frame.function, frame.file) = two_texts(payload.substr(sizeof(FrameRecord)));
    capture_.frames.push_back(std::move(frame));
  } else {
    capture_.program = clean_text(payload.substr(0, 64));
  }
}

void StreamReader::take_sampling(std::string_view payload) {
  const auto record = read<SamplingRecord>(payload, "sampling");
  if (record.rate == 0 || record.rate > highest_address || capture_.sampling_rate != 0) {
    refuse("its sampling can't be");
  }
  capture_.sampling_rate = record.rate;
}

void StreamReader::take_line(std::string_view payload) {
  Line line;
  line.line = read<LineRecord>(payload, "a line").line;
  std::tie(line.function, line.file) = two_texts(payload.substr(sizeof(LineRecord)));
  if (line.line > INT32_MAX) {
    refuse("a line's number can't be");
  }
  capture_.lines.push_back(std::move(line));
}

void StreamReader::take_site(std::string_view payload) {
  const auto record = read<SiteRecord>(payload, "a site");
  Site site;
  site.id = record.id;
  read_many(payload.substr(sizeof(record)), site.lines, "a site");
  if (site.lines.size() != record.lines || record.lines > deepest_stack ||
      (!capture_.sites.empty() && record.id <= capture_.sites.back().id)) {
    refuse("a site's numbers can't be");
  }
  for (const std::uint32_t line : site.lines) {
    if (line >= capture_.lines.size()) {
      refuse("a site has a line that isn't there");
    }
  }
  capture_.sites.push_back(std::move(site));
}

void StreamReader::take_recorded(std::string_view payload) {
  if (capture_.sampling_rate == 0) {
    refuse("recorded blocks without their sampling");
  }
  read_many(payload, recorded_, "recorded blocks");
}

// Kept as it is, since an escape in it is repr's own: so nothing may be in it that would have to be escaped.
void StreamReader::take_value(std::string_view payload) {
  const std::uint64_t block = read<ValueRecord>(payload, "a value").block;
  const std::string_view text = payload.substr(sizeof(ValueRecord));
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) {
    const std::size_t length = printable_length(text.substr(at));
    if (length == 0 || characters == most_value_characters) {
      refuse("a value is too long, or isn't printable");
    }
    at += length;
  }
  value_blocks_.push_back(block);
  capture_.values.push_back({no_block, std::string(text)});
}

}  // namespace tarn::sight
