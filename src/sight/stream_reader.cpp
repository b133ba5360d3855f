#include "sight/stream_reader.h"

#include <tarn/heap.h>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include <tuple>
#include <utility>

namespace tarn::sight {

namespace {

constexpr std::size_t most_text = std::size_t{1} << 26;
constexpr std::uint64_t highest_address = std::uint64_t{1} << 57;
constexpr std::uint64_t largest_pool = std::uint64_t{1} << 22;
constexpr std::uint64_t largest_arena = std::uint64_t{1} << 32;
constexpr std::uint32_t deepest_stack = 256;

[[noreturn]] void refuse(const std::string& what) { throw BadStream(what); }

template <typename Record>
Record read(std::string_view payload, const char* what) {
  if (payload.size() < sizeof(Record)) {
    refuse(std::string("a record of ") + what + " is too short");
  }
  Record record;
  std::memcpy(static_cast<void*>(&record), payload.data(), sizeof(record));
  return record;
}

template <typename Record>
void read_many(std::string_view payload, std::vector<Record>& records, const char* what) {
  if (payload.size() % sizeof(Record) != 0) {
    refuse(std::string("a record of ") + what + " ends in the middle");
  }
  const std::size_t count = payload.size() / sizeof(Record);
  const std::size_t before = records.size();
  records.resize(before + count);
  if (count != 0) {
    std::memcpy(static_cast<void*>(records.data() + before), payload.data(), payload.size());
  }
}

void check_range(std::uint64_t address, std::uint64_t size, std::uint64_t most, const char* what) {
  if (address == 0 || address >= highest_address || size == 0 || size > most) {
    refuse(std::string(what) + " at addresses that can't be");
  }
}

// Bytes of the character that begins there; 0: it's none.
std::size_t utf8_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) {
    return first >= 0x20 && first != 0x7F ? 1 : 0;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) {
    return 0;
  }
  std::uint32_t code = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0U) != 0x80U) {
      return 0;
    }
    code = code << 6 | (next & 0x3FU);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code < 0xE000;
  // U+0080 to U+009F are controls, U+202A to U+202E and U+2066 to U+2069 turn the direction of what follows.
  const bool moves = code < 0xA0 || (code >= 0x202A && code <= 0x202E) ||
                     (code >= 0x2066 && code <= 0x2069) || code == 0x2028 || code == 0x2029;
  return code < least[length] || code > 0x10FFFF || is_surrogate || moves ? 0 : length;
}

std::pair<std::string, std::string> two_texts(std::string_view text) {
  const std::size_t middle = text.find('\0');
  if (middle == std::string_view::npos) {
    refuse("a record of names has no second one");
  }
  return {clean_text(text.substr(0, middle)), clean_text(text.substr(middle + 1))};
}

// Of a block that was drawn by its bytes, one in `rate` (sites/poisson.h): for so many like it it stands.
double weight_of(std::uint64_t counted, std::uint64_t rate) {
  if (rate == 1 || counted == 0) {
    return 1;
  }
  return -1 / std::expm1(-static_cast<double>(counted) / static_cast<double>(rate));
}

template <typename Thing>
void sort_and_check(std::vector<Thing>& things, const char* what) {
  std::sort(things.begin(), things.end(),
            [](const Thing& left, const Thing& right) { return left.address < right.address; });
  for (std::size_t i = 1; i < things.size(); ++i) {
    if (things[i].address - things[i - 1].address < things[i - 1].size) {
      refuse(std::string("two ") + what + " overlap");
    }
  }
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length != 0 && text[0] != '\\') {
      clean.append(text.substr(0, length));
      text.remove_prefix(length);
      continue;
    }
    char escaped[5];
    std::snprintf(escaped, sizeof(escaped), "\\x%02x", static_cast<unsigned char>(text[0]));
    clean += escaped;
    text.remove_prefix(1);
  }
  return clean;
}

std::uint32_t Capture::find(std::uint64_t address) const {
  if (const auto found = pool_of_page.find(address >> page_shift); found != pool_of_page.end()) {
    const Pool& pool = pools[found->second];
    const std::uint64_t index = (address - pool.address) / pool.block_size;
    return index < pool.blocks ? slots[pool.first_slot + index] : no_block;
  }
  // Large, or outside.
  const auto behind = std::upper_bound(
      blocks.begin(), blocks.end(), address,
      [](std::uint64_t wanted, const Block& block) { return wanted < block.address; });
  if (behind == blocks.begin()) {
    return no_block;
  }
  const auto block = behind - 1;
  return block->place != Place::pool &&
                 address - block->address < std::max<std::uint64_t>(block->size, 1)
             ? static_cast<std::uint32_t>(block - blocks.begin())
             : no_block;
}

void StreamReader::take(std::string_view bytes) {
  pending_.append(bytes);
  std::string_view rest = pending_;
  if (!has_magic_) {
    if (rest.size() < sizeof(stream_magic)) {
      return;
    }
    if (std::memcmp(rest.data(), stream_magic, sizeof(stream_magic)) != 0) {
      refuse("it is no stream of a snapshot, or one of another version of Tarn");
    }
    rest.remove_prefix(sizeof(stream_magic));
    has_magic_ = true;
  }
  while (rest.size() >= sizeof(RecordHead)) {
    const auto head = read<RecordHead>(rest, "any kind");
    if (head.size > most_record_bytes) {
      refuse("a record is too large");
    }
    if (rest.size() - sizeof(head) < head.size) {
      break;
    }
    take_record(head.kind, rest.substr(sizeof(head), head.size));
    rest.remove_prefix(sizeof(head) + head.size);
  }
  pending_.erase(0, pending_.size() - rest.size());
}

void StreamReader::take_record(RecordKind kind, std::string_view payload) {
  if (has_end_) {
    refuse("it goes on behind its end");
  }
  if (has_facts_ == (kind == RecordKind::facts)) {
    refuse("it doesn't begin with its facts");
  }
  const auto append = [&](std::string& text) {
    if (text.size() + payload.size() > most_text) {
      refuse("a text is too long");
    }
    text.append(payload);
  };
  switch (kind) {
    case RecordKind::facts:
      capture_.facts = read<FactsRecord>(payload, "facts");
      has_facts_ = true;
      if (capture_.facts.page_size < 4096 || capture_.facts.page_size > (1U << 20) ||
          (capture_.facts.page_size & (capture_.facts.page_size - 1)) != 0 ||
          capture_.facts.pid > INT32_MAX || capture_.facts.taken_at > (std::uint64_t{1} << 60)) {
        refuse("its facts can't be");
      }
      break;
    case RecordKind::report:
      append(capture_.report);
      break;
    case RecordKind::mappings:
      append(capture_.mappings);
      break;
    case RecordKind::arena:
      take_arena(payload);
      break;
    case RecordKind::pool:
      take_pool(payload);
      break;
    case RecordKind::usable:
      take_usable(payload);
      break;
    case RecordKind::large:
      take_large(payload);
      break;
    case RecordKind::objects:
      take_objects(payload);
      break;
    case RecordKind::references:
      take_references(payload);
      break;
    case RecordKind::parts:
      read_many(payload, part_words_, "parts");
      if (part_words_.size() % 2 != 0) {
        refuse("a part has no owner");
      }
      break;
    case RecordKind::type:
    case RecordKind::root:
    case RecordKind::thread:
    case RecordKind::frame:
    case RecordKind::program:
      take_named(kind, payload);
      break;
    case RecordKind::sampling:
      take_sampling(payload);
      break;
    case RecordKind::line:
      take_line(payload);
      break;
    case RecordKind::site:
      take_site(payload);
      break;
    case RecordKind::recorded:
      take_recorded(payload);
      break;
    case RecordKind::value:
      take_value(payload);
      break;
    case RecordKind::end: {
      capture_.end = read<EndRecord>(payload, "the end");
      constexpr std::uint64_t most_nanoseconds = std::uint64_t{1} << 60;
      if (capture_.end.pause > most_nanoseconds || capture_.end.capture > most_nanoseconds ||
          capture_.end.unreadable > most_nanoseconds) {
        refuse("its end can't be");
      }
      has_end_ = true;
      break;
    }
    default:
      refuse("a record of a kind that isn't known: " +
             std::to_string(static_cast<std::uint32_t>(kind)));
  }
}

void StreamReader::take_arena(std::string_view payload) {
  const auto record = read<ArenaRecord>(payload, "an arena");
  check_range(record.address, record.size, largest_arena, "an arena");
  if (record.nfreepools > record.pools || record.pools > record.size ||
      record.resident > record.size || record.heap > HeapName::raw) {
    refuse("an arena's numbers can't be");
  }
  Arena arena;
  static_cast<ArenaRecord&>(arena) = record;
  capture_.arenas.push_back(arena);
}

void StreamReader::take_pool(std::string_view payload) {
  const auto record = read<PoolRecord>(payload, "a pool");
  payload.remove_prefix(sizeof(record));
  check_range(record.address, record.size, largest_pool, "a pool");
  const bool has_blocks = record.state == static_cast<std::uint8_t>(PoolState::used) ||
                          record.state == static_cast<std::uint8_t>(PoolState::full);
  if (record.state > static_cast<std::uint8_t>(PoolState::full) || record.domain > 2 ||
      record.szidx > 255 || record.untouched_at > record.size ||
      record.size % (std::uint32_t{1} << Capture::page_shift) != 0 ||
      record.address % (std::uint64_t{1} << Capture::page_shift) != 0 ||
      (has_blocks && (record.block_size < 8 || record.blocks == 0 ||
                      std::uint64_t{record.block_size} * record.blocks > record.size)) ||
      (!has_blocks && (record.blocks != 0 || record.free_blocks != 0))) {
    refuse("a pool's numbers can't be");
  }
  if (payload.size() != record.blocks + std::size_t{record.free_blocks} * sizeof(std::uint16_t)) {
    refuse("a pool has too many or too few blocks");
  }
  Pool pool;
  static_cast<PoolRecord&>(pool) = record;
  pool.first_slot = payloads_.size();
  payloads_.push_back({marks_.size(), chains_.size()});
  const std::string_view marks = payload.substr(0, record.blocks);
  for (const char mark : marks) {
    if (static_cast<unsigned char>(mark) > static_cast<unsigned char>(BlockMark::free)) {
      refuse("a block's state can't be");
    }
  }
  marks_.append(marks);
  read_many(payload.substr(record.blocks), chains_, "a pool");
  std::string is_seen(record.blocks, '\0');
  for (std::size_t i = payloads_.back().chain; i < chains_.size(); ++i) {
    const std::uint16_t index = chains_[i];
    if (index >= record.blocks || marks[index] != static_cast<char>(BlockMark::free) ||
        is_seen[index] != '\0') {
      refuse("a pool's chain of free blocks can't be");
    }
    is_seen[index] = '\1';
  }
  capture_.pools.push_back(pool);
}

void StreamReader::take_usable(std::string_view payload) {
  usable_.emplace_back();
  read_many(payload, usable_.back(), "usable arenas");
}

void StreamReader::take_large(std::string_view payload) {
  const auto record = read<LargeRecord>(payload, "a large block");
  check_range(record.address, record.size, highest_address, "a large block");
  if (record.domain > 2 || record.is_mapping > 1 || record.heap > HeapName::raw ||
      record.resident > record.size) {
    refuse("a large block's numbers can't be");
  }
  capture_.large.push_back(record);
}

void StreamReader::take_objects(std::string_view payload) {
  const std::size_t before = objects_.size();
  read_many(payload, objects_, "objects");
  for (std::size_t i = before; i < objects_.size(); ++i) {
    const ObjectRecord& object = objects_[i];
    const bool is_outside = (object.flags & object_flags::outside) != 0;
    if (object.prefix > 112 || (is_outside && object.prefix != 0) || object.block == 0 ||
        object.block >= highest_address || object.refcount > UINT32_MAX || object.type == no_type) {
      refuse("an object's numbers can't be");
    }
  }
}

void StreamReader::take_references(std::string_view payload) {
  std::vector<std::uint64_t> words;
  read_many(payload, words, "references");
  for (std::size_t at = 0; at < words.size();) {
    if (words.size() - at < 2 || words[at + 1] > words.size() - at - 2) {
      refuse("a record of references ends in the middle");
    }
    at += 2 + static_cast<std::size_t>(words[at + 1]);
  }
  reference_words_.insert(reference_words_.end(), words.begin(), words.end());
}

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
    const std::size_t length = utf8_length(text.substr(at));
    if (length == 0 || characters == most_value_characters) {
      refuse("a value is too long, or isn't printable");
    }
    at += length;
  }
  value_blocks_.push_back(block);
  capture_.values.push_back({no_block, std::string(text)});
}

void StreamReader::place_blocks_of(Pool& pool, std::string_view marks) {
  const PoolPayload payload = payloads_[pool.first_slot];
  pool.first_slot = capture_.slots.size();
  const std::uint64_t page = capture_.facts.page_size;
  for (std::uint32_t index = 0; index < pool.blocks; ++index) {
    const auto mark = static_cast<BlockMark>(marks[payload.marks + index]);
    if (mark == BlockMark::untouched) {
      capture_.slots.push_back(no_block);
      ++pool.untouched;
      continue;
    }
    Block block;
    block.address = pool.address + std::uint64_t{index} * pool.block_size;
    block.size = pool.block_size;
    block.pool = pool.address;
    block.domain = pool.domain;
    if (mark == BlockMark::allocated) {
      ++pool.allocated;
      const std::uint64_t first = (block.address - pool.address) / page;
      const std::uint64_t last = (block.address - pool.address + block.size - 1) / page;
      for (std::uint64_t i = first; i <= last && i < 64; ++i) {
        pool.live_pages |= std::uint64_t{1} << i;
      }
    } else {
      block.state = Taken::free;
    }
    capture_.slots.push_back(static_cast<std::uint32_t>(capture_.blocks.size()));
    capture_.blocks.push_back(block);
  }
  for (std::size_t i = 1; i < pool.free_blocks; ++i) {
    const std::uint32_t block = capture_.slots[pool.first_slot + chains_[payload.chain + i - 1]];
    capture_.blocks[block].next_free =
        pool.address + std::uint64_t{chains_[payload.chain + i]} * pool.block_size;
  }
  // The chain's first is told by the chain, not by what the pool says.
  pool.freeblock = pool.free_blocks == 0
                       ? 0
                       : pool.address + std::uint64_t{chains_[payload.chain]} * pool.block_size;
}

// Pools, large blocks and objects outside, in one order of addresses.
void StreamReader::place_areas() {
  sort_and_check(capture_.arenas, "arenas");
  sort_and_check(capture_.pools, "pools");
  sort_and_check(capture_.large, "large blocks");
  for (const Pool& pool : capture_.pools) {
    const auto arena = std::lower_bound(
        capture_.arenas.begin(), capture_.arenas.end(), pool.arena,
        [](const Arena& one, std::uint64_t address) { return one.address < address; });
    if (arena == capture_.arenas.end() || arena->address != pool.arena ||
        pool.address < arena->address ||
        pool.address - arena->address >
            arena->size - std::min<std::uint64_t>(arena->size, pool.size)) {
      refuse("a pool lies in no arena");
    }
  }
  std::vector<const ObjectRecord*> outside;
  for (const ObjectRecord& object : objects_) {
    if ((object.flags & object_flags::outside) != 0) {
      outside.push_back(&object);
    }
  }
  std::sort(outside.begin(), outside.end(),
            [](const ObjectRecord* left, const ObjectRecord* right) {
              return left->block < right->block;
            });
  capture_.blocks.reserve(
      static_cast<std::size_t>(
          std::count_if(marks_.begin(), marks_.end(), [](char mark) { return mark != '\0'; })) +
      capture_.large.size() + outside.size());
  std::size_t pool = 0;
  std::size_t large = 0;
  std::size_t next = 0;
  const auto address = [](const auto& things, std::size_t i) {
    return i < things.size() ? things[i].address : UINT64_MAX;
  };
  std::uint64_t end = 0;
  for (;;) {
    const std::uint64_t of_pool = address(capture_.pools, pool);
    const std::uint64_t of_large = address(capture_.large, large);
    const std::uint64_t of_outside = next < outside.size() ? outside[next]->block : UINT64_MAX;
    const std::uint64_t first = std::min({of_pool, of_large, of_outside});
    if (first == UINT64_MAX) {
      break;
    }
    if (first < end) {
      refuse("blocks overlap");
    }
    if (first == of_pool) {
      const Pool& here = capture_.pools[pool];
      end = here.address + here.size;
      for (std::uint64_t at = here.address; here.blocks != 0 && at < end;
           at += std::uint64_t{1} << Capture::page_shift) {
        capture_.pool_of_page.emplace(at >> Capture::page_shift, static_cast<std::uint32_t>(pool));
      }
      place_blocks_of(capture_.pools[pool++], marks_);
    } else if (first == of_large) {
      const LargeRecord& here = capture_.large[large++];
      end = here.address + here.size;
      Block block;
      block.address = here.address;
      block.size = here.size;
      block.domain = static_cast<std::uint8_t>(here.domain);
      block.place = Place::large;
      capture_.blocks.push_back(block);
    } else {
      end = first + 1;
      Block block;
      block.address = first;
      block.place = Place::outside;
      capture_.blocks.push_back(block);
      ++next;
    }
    if (capture_.blocks.size() >= no_block - largest_pool) {
      refuse("too many blocks");
    }
  }
}

void StreamReader::place_objects() {
  for (const ObjectRecord& object : objects_) {
    const std::uint32_t index = capture_.find(object.block);
    if (index == no_block || capture_.blocks[index].address != object.block ||
        capture_.blocks[index].state != Taken::allocated) {
      refuse("an object lies in no allocated block");
    }
    Block& block = capture_.blocks[index];
    const bool is_outside = (object.flags & object_flags::outside) != 0;
    if (object.type >= capture_.types.size() || block.is_candidate() ||
        is_outside != (block.place == Place::outside) ||
        (!is_outside && object.prefix >= block.size)) {
      refuse("an object's numbers don't fit its block");
    }
    block.type = object.type;
    block.prefix = object.prefix;
    block.refcount = object.refcount;
    block.flags = object.flags;
    if (is_outside) {
      block.size = static_cast<std::uint64_t>(capture_.types[object.type].basicsize);
    }
  }
}

void StreamReader::place_recorded() {
  for (const RecordedRecord& record : recorded_) {
    const std::uint32_t index = capture_.find(record.block);
    if (index == no_block || capture_.blocks[index].address != record.block ||
        capture_.blocks[index].state != Taken::allocated ||
        capture_.blocks[index].place == Place::outside) {
      refuse("a recorded block isn't allocated");
    }
    const auto site =
        std::lower_bound(capture_.sites.begin(), capture_.sites.end(), record.site,
                         [](const Site& one, std::uint32_t id) { return one.id < id; });
    if (site == capture_.sites.end() || site->id != record.site ||
        capture_.blocks[index].site != no_site) {
      refuse("a recorded block has two sites, or none");
    }
    capture_.blocks[index].site = static_cast<std::uint32_t>(site - capture_.sites.begin());
    if (const double weight = weight_of(record.counted, capture_.sampling_rate); weight > 1) {
      capture_.samples.push_back({index, weight});
    }
  }
}

void StreamReader::place_values() {
  std::vector<bool> has_value(capture_.blocks.size());
  for (std::size_t i = 0; i < value_blocks_.size(); ++i) {
    const std::uint32_t block = capture_.find(value_blocks_[i]);
    if (block == no_block || capture_.blocks[block].address != value_blocks_[i] ||
        !capture_.blocks[block].is_candidate() || has_value[block]) {
      refuse("a value is no object's, or an object has two");
    }
    has_value[block] = true;
    capture_.values[i].block = block;
  }
}

// Addresses become blocks.
void StreamReader::resolve() {
  for (std::size_t at = 0; at < reference_words_.size();) {
    const std::uint32_t source = capture_.find(reference_words_[at]);
    const auto count = static_cast<std::size_t>(reference_words_[at + 1]);
    at += 2;
    References references;
    references.source = source;
    references.first = capture_.targets.size();
    for (std::size_t i = 0; i < count && source != no_block; ++i) {
      const std::uint64_t address = reference_words_[at + i];
      const std::uint32_t target = capture_.find(address);
      if (target != no_block && capture_.blocks[target].is_candidate() &&
          capture_.blocks[target].object() == address) {
        capture_.targets.push_back(target);
      }
    }
    at += count;
    references.last = capture_.targets.size();
    if (references.first != references.last) {
      capture_.references.push_back(references);
    }
  }
  std::stable_sort(
      capture_.references.begin(), capture_.references.end(),
      [](const References& left, const References& right) { return left.source < right.source; });
  for (std::size_t i = 0; i < part_words_.size(); i += 2) {
    const Part part = {capture_.find(part_words_[i]), capture_.find(part_words_[i + 1])};
    if (part.source != no_block && part.target != no_block && part.source != part.target &&
        capture_.blocks[part.target].state == Taken::allocated) {
      capture_.parts.push_back(part);
    }
  }
  for (std::size_t i = 0; i < root_records_.size(); ++i) {
    const std::uint32_t block = capture_.find(root_records_[i].target);
    if (block != no_block && capture_.blocks[block].is_candidate() &&
        capture_.blocks[block].object() == root_records_[i].target) {
      capture_.roots[i].block = block;
    }
    if (capture_.roots[i].is_local && capture_.roots[i].frame >= capture_.frames.size()) {
      refuse("a local variable has no frame");
    }
  }
  std::erase_if(capture_.roots, [](const Root& root) { return root.block == no_block; });
}

Capture StreamReader::finish() {
  if (!has_end_) {
    refuse("it breaks off");
  }
  if (!pending_.empty()) {
    refuse("it goes on behind its end");
  }
  place_areas();
  for (const std::vector<std::uint64_t>& list : usable_) {
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto arena = std::lower_bound(
          capture_.arenas.begin(), capture_.arenas.end(), list[i],
          [](const Arena& one, std::uint64_t address) { return one.address < address; });
      if (arena == capture_.arenas.end() || arena->address != list[i] ||
          arena->usable_order != not_usable) {
        refuse("a usable arena isn't there, or twice");
      }
      arena->usable_order = i;
    }
  }
  place_objects();
  place_recorded();
  place_values();
  resolve();
  return std::move(capture_);
}

}  // namespace tarn::sight
