// A heap of this very process as a stream (stream_format.h), so that what is checked of a stream is checked of it too.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "sight/stream_format.h"
#include "sight/stream_reader.h"

namespace tarn::sight {

class HeapStream {
 public:
  HeapStream();

  template <typename Head>
  void record(RecordKind kind, const Head& head, std::string_view rest = {}) {
    put(kind, {reinterpret_cast<const char*>(&head), sizeof(head)}, rest);
  }
  void put(RecordKind kind, std::string_view head, std::string_view rest = {});

  // One after the other: an arena, its pools. Addresses of blocks on freeblock, in its order.
  void arena(const void* address, std::size_t size, std::size_t pools, std::size_t nfreepools);
  void pool(PoolRecord record, const std::vector<BlockMark>& marks,
            const std::vector<std::uint16_t>& chain);
  void large(const void* address, std::size_t size, std::uint16_t domain, bool is_mapping);

  [[nodiscard]] std::uint64_t resident_in_arenas() const { return resident_in_arenas_; }
  [[nodiscard]] std::uint64_t resident_large() const { return resident_large_; }

  // Throws BadStream: the heap is damaged.
  [[nodiscard]] Capture finish(std::uint64_t pause);

 private:
  StreamReader reader_;
  std::uint64_t arena_ = 0;
  std::vector<unsigned char> resident_;  // a byte for each of the arena's pages
  std::uint64_t resident_in_arenas_ = 0;
  std::uint64_t resident_large_ = 0;
};

}  // namespace tarn::sight
