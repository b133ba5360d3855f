// A small stream as a process would write it: an arena of two pools, a large block, an object outside, and a program
// whose module `app` has a dict.
//
//   app.cache ──► [0] dict ──► [1] Session ──► [2] str        [3] the dict's table, in a pool of mem
//   [4] and [5] hold each other and are held by nobody; [6] is counted once more than it's referred to
#pragma once

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "sight/stream_format.h"

namespace tarn::sight {

inline constexpr std::uint64_t sample_arena = 0x7f0000100000;
inline constexpr std::uint64_t sample_pool = sample_arena;
inline constexpr std::uint64_t sample_mem_pool = sample_arena + 0x4000;
inline constexpr std::uint64_t sample_large = 0x7f0001000000;
inline constexpr std::uint64_t sample_type = 0x555500001000;  // of types; outside
inline constexpr std::uint32_t sample_prefix = 16;
inline constexpr std::uint64_t sample_rate = 4096;

enum class Recorded : std::uint8_t { nothing, sites };

// The first of its pool lies 48 bytes into it.
inline constexpr std::uint32_t sample_first_at = 48;
inline constexpr unsigned sample_blocks = 255;
inline std::uint64_t sample_block(unsigned index) {
  return sample_pool + sample_first_at + std::uint64_t{index} * 64;
}
inline std::uint64_t sample_object(unsigned index) { return sample_block(index) + sample_prefix; }

class StreamBuilder {
 public:
  StreamBuilder() : bytes_(stream_magic, sizeof(stream_magic)) {}

  template <typename Head>
  StreamBuilder& add(RecordKind kind, const Head& head, std::string_view rest = "") {
    std::string payload(reinterpret_cast<const char*>(&head), sizeof(head));
    return text(kind, payload.append(rest));
  }
  StreamBuilder& text(RecordKind kind, std::string_view payload) {
    const RecordHead head = {kind, static_cast<std::uint32_t>(payload.size())};
    bytes_.append(reinterpret_cast<const char*>(&head), sizeof(head)).append(payload);
    return *this;
  }
  StreamBuilder& words(RecordKind kind, const std::vector<std::uint64_t>& words) {
    return text(kind, {reinterpret_cast<const char*>(words.data()), words.size() * 8});
  }
  StreamBuilder& object(std::uint64_t block, std::uint64_t refcount, std::uint32_t type,
                        std::uint32_t flags, std::uint32_t prefix = sample_prefix) {
    return add(RecordKind::objects, ObjectRecord{block, refcount, prefix, type, flags, 0});
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

// Eight blocks of 64 bytes, of which seven are allocated and the last is free.
inline PoolRecord sample_pool_record() {
  PoolRecord pool = {};
  pool.address = sample_pool;
  pool.arena = sample_arena;
  pool.resident_pages = 1;
  pool.size = 0x4000;
  pool.block_size = 64;
  pool.blocks = sample_blocks;
  pool.untouched_at = sample_first_at + 8 * 64;
  pool.szidx = 3;
  pool.state = 2;
  pool.domain = 2;
  pool.free_blocks = 1;
  return pool;
}

inline std::string sample_marks(unsigned allocated, unsigned blocks,
                                const std::vector<std::uint16_t>& chain) {
  std::string marks(blocks, '\0');
  for (unsigned i = 0; i < allocated; ++i) {
    marks[i] = '\1';
  }
  for (const std::uint16_t index : chain) {
    if (index < blocks) {  // one that isn't is what the reader has to refuse
      marks[index] = '\2';
    }
  }
  return marks.append(reinterpret_cast<const char*>(chain.data()), chain.size() * 2);
}

// Two sites, of which one has a stack of two lines, the lower of both also the other's: blocks 1 and 4 were recorded at
// it, block 2 where no line of Python was.
inline void add_sample_sites(StreamBuilder& stream) {
  using Kind = RecordKind;
  const std::uint32_t stack[] = {0, 1};
  stream.add(Kind::sampling, SamplingRecord{sample_rate});
  stream.add(Kind::line, LineRecord{88, 0}, std::string("login") + '\0' + "app.py");
  stream.add(Kind::line, LineRecord{90, 0}, std::string("main") + '\0' + "app.py");
  stream.add(Kind::site, SiteRecord{0, 0});
  stream.add(Kind::site, SiteRecord{7, 2}, {reinterpret_cast<const char*>(stack), sizeof(stack)});
  const RecordedRecord recorded[] = {
      {sample_block(1), 48, 7, 0}, {sample_block(4), 64, 7, 0}, {sample_block(2), 64, 0, 0}};
  stream.text(Kind::recorded, {reinterpret_cast<const char*>(recorded), sizeof(recorded)});
}

inline std::string sample_stream(Recorded recorded = Recorded::sites) {
  using Kind = RecordKind;
  StreamBuilder stream;
  stream.add(Kind::facts, FactsRecord{1'700'000'000'000'000, 4711, 4096});
  stream.text(Kind::report, "a report").text(Kind::mappings, "mappings");
  stream.add(Kind::arena, ArenaRecord{sample_arena, 0x100000, 64, 62, 8192, HeapName::python, 0});
  stream.add(Kind::pool, sample_pool_record(), sample_marks(7, sample_blocks, {7}));
  PoolRecord mem = sample_pool_record();
  mem.address = sample_mem_pool;
  mem.domain = 1;
  mem.blocks = 256;
  mem.untouched_at = 64;
  mem.free_blocks = 0;
  stream.add(Kind::pool, mem, sample_marks(1, 256, {}));
  stream.words(Kind::usable, {sample_arena});
  stream.add(Kind::large, LargeRecord{sample_large, 0x10000, 0x8000, HeapName::python, 1, 0});
  constexpr std::uint32_t tracked = object_flags::tracked | object_flags::linked;
  const std::uint32_t types[] = {0, 1, 2, 0, 0, 0, 0};
  for (unsigned i = 0; i < 7; ++i) {
    if (i != 3) {
      stream.object(sample_block(i), i == 6 ? 2 : 1, types[i], i == 2 ? 0 : tracked);
    }
  }
  stream.object(sample_type, 100, 0, object_flags::outside, 0);
  stream.words(Kind::references,
               {sample_object(0), 1, sample_object(1), sample_object(1), 1, sample_object(2)});
  stream.words(Kind::references, {sample_object(4), 2, sample_object(5), sample_object(6),
                                  sample_object(5), 1, sample_object(4)});
  stream.words(Kind::parts, {sample_block(0), sample_mem_pool});
  if (recorded == Recorded::sites) {
    add_sample_sites(stream);
  }
  stream.add(Kind::value, ValueRecord{sample_block(2)}, "'it\\'s \u00e9'");
  const char* const names[] = {"dict", "Session", "str"};
  for (std::uint32_t id = 0; id < 3; ++id) {
    stream.add(Kind::type, TypeRecord{sample_type + 0x1000 * std::uint64_t{id + 1}, 48, 0, id, 0},
               std::string(names[id]) + '\0' + "builtins");
  }
  stream.add(Kind::root, RootRecord{sample_object(0), RootKind::global, 0, 0}, "app.cache");
  stream.add(Kind::thread, ThreadRecord{12}, "MainThread");
  stream.add(Kind::frame, FrameRecord{12, 0, 7}, std::string("main") + '\0' + "app.py");
  stream.add(Kind::root, RootRecord{sample_object(2), RootKind::local, 0, 12}, "name");
  stream.text(Kind::program, "app");
  stream.add(Kind::end, EndRecord{1000, 2000, 0, 0});
  return stream.bytes();
}

}  // namespace tarn::sight
