#include "sight/heap_stream.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "base/bits.h"
#include "os/resident.h"
#include "os/virtual_memory.h"

namespace tarn::sight {

HeapStream::HeapStream() {
  reader_.take({stream_magic, sizeof(stream_magic)});
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  record(RecordKind::facts,
         FactsRecord{.taken_at = static_cast<std::uint64_t>(
                         std::chrono::duration_cast<std::chrono::microseconds>(now).count()),
                     .pid = static_cast<std::uint64_t>(::getpid()),
                     .page_size = os::page_size()});
}

void HeapStream::put(RecordKind kind, std::string_view head, std::string_view rest) {
  const RecordHead record = {kind, static_cast<std::uint32_t>(head.size() + rest.size())};
  reader_.take({reinterpret_cast<const char*>(&record), sizeof(record)});
  reader_.take(head);
  reader_.take(rest);
}

void HeapStream::arena(const void* address, std::size_t size, std::size_t pools,
                       std::size_t nfreepools) {
  arena_ = base::address_of(address);
  resident_.assign(size / os::page_size(), 0);
  static_cast<void>(os::find_resident(address, size, resident_.data()));
  const auto pages = static_cast<std::uint64_t>(std::count_if(
      resident_.begin(), resident_.end(), [](unsigned char page) { return page != 0; }));
  resident_in_arenas_ += pages * os::page_size();
  record(RecordKind::arena, ArenaRecord{.address = arena_,
                                        .size = size,
                                        .pools = pools,
                                        .nfreepools = nfreepools,
                                        .resident = pages * os::page_size(),
                                        .heap = HeapName::python,
                                        .reserved = 0});
}

void HeapStream::pool(PoolRecord record, const std::vector<BlockMark>& marks,
                      const std::vector<std::uint16_t>& chain) {
  constexpr std::size_t most_pages = 64;
  record.arena = arena_;
  const std::size_t first = (record.address - arena_) / os::page_size();
  for (std::size_t i = 0; i < most_pages && i * os::page_size() < record.size; ++i) {
    record.resident_pages |= std::uint64_t{resident_.at(first + i) != 0 ? 1U : 0U} << i;
  }
  record.free_blocks = static_cast<std::uint16_t>(chain.size());
  std::string rest(reinterpret_cast<const char*>(marks.data()), marks.size());
  rest.append(reinterpret_cast<const char*>(chain.data()), chain.size() * sizeof(chain[0]));
  this->record(RecordKind::pool, record, rest);
}

void HeapStream::large(const void* address, std::size_t size, std::uint16_t domain,
                       bool is_mapping) {
  const std::uint64_t resident = os::resident_bytes(address, size);
  resident_large_ += resident;
  record(RecordKind::large,
         LargeRecord{.address = base::address_of(address),
                     .size = size,
                     .resident = std::min<std::uint64_t>(resident, size),
                     .heap = HeapName::python,
                     .domain = domain,
                     .is_mapping = is_mapping ? std::uint16_t{1} : std::uint16_t{0}});
}

Capture HeapStream::finish(std::uint64_t pause) {
  record(RecordKind::end, EndRecord{.pause = pause, .capture = pause, .unreadable = 0, .flags = 0});
  return reader_.finish();
}

}  // namespace tarn::sight
