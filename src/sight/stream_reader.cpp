// The frame of the stream, and the heap: arenas, pools, blocks, objects and what they refer to.
#include "sight/stream_reader.h"

#include <tarn/heap.h>

#include <cstring>
#include <utility>

#include "sight/stream_records.h"

namespace tarn::sight {

namespace {

using stream::highest_address;
using stream::largest_pool;
using stream::read;
using stream::read_many;
using stream::refuse;

constexpr std::size_t most_text = std::size_t{1} << 26;
constexpr std::uint64_t largest_arena = std::uint64_t{1} << 32;

void check_range(std::uint64_t address, std::uint64_t size, std::uint64_t most, const char* what) {
  if (address == 0 || address >= highest_address || size == 0 || size > most) {
    refuse(std::string(what) + " at addresses that can't be");
  }
}

}  // namespace

void StreamReader::take(std::string_view bytes) {
  pending_.append(bytes);
  std::string_view rest = pending_;
  if (!has_magic_) {
    if (rest.size() < sizeof(stream_magic)) {
      return;
    }
    if (std::memcmp(rest.data(), stream_magic, sizeof(stream_magic)) != 0 &&
        std::memcmp(rest.data(), stream_magic_before, sizeof(stream_magic_before)) != 0) {
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
      (has_blocks &&
       (record.block_size < 8 || record.blocks == 0 ||
        record.untouched_at % record.block_size + std::uint64_t{record.block_size} * record.blocks >
            record.size)) ||
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

}  // namespace tarn::sight
