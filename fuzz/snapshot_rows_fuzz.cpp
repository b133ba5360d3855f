// Any cells whatever as a row of each table of a snapshot file: either refused with a printable line, or values within
// the limits that rows.h promises.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

#include "sight/reading/bad_snapshot.h"
#include "sight/reading/rows.h"

namespace {

using namespace tarn::sight::reading;

void require(bool condition) {
  if (!condition) {
    std::abort();
  }
}

template <class Read>
void attempt(Read read) {
  try {
    read();
  } catch (const BadSnapshot& bad) {
    for (const char character : std::string_view(bad.what())) {
      require(character >= 0x20 && character <= 0x7e);
    }
  }
}

// A byte for the kind, then eight for a number, or a length and as many bytes of text.
std::vector<Cell> cells_of(const std::uint8_t* data, std::size_t size) {
  std::vector<Cell> cells;
  while (size != 0 && cells.size() < 16) {
    Cell cell;
    cell.kind = static_cast<Cell::Kind>(*data % 5);
    ++data;
    --size;
    std::size_t used = 0;
    if (cell.kind == Cell::Kind::integer || cell.kind == Cell::Kind::real) {
      used = size < 8 ? size : 8;
      std::memcpy(&cell.integer, data, used);
      std::memcpy(&cell.real, data, used);
    } else if (cell.kind == Cell::Kind::text && size != 0) {
      used = 1 + (*data < size - 1 ? *data : size - 1);
      cell.text = {reinterpret_cast<const char*>(data) + 1, used - 1};
    }
    data += used;
    size -= used;
    cells.push_back(cell);
  }
  return cells;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::vector<Cell> cells = cells_of(data, size);
  attempt([&] {
    const FactsRow facts = read_facts(cells);
    require(facts.page_size >= 1024 && (facts.page_size & (facts.page_size - 1)) == 0);
    require(facts.taken_at >= 0 && facts.resident <= address_limit);
  });
  attempt([&] {
    const BlockRow block = read_block(cells);
    require(block.size != 0 && block.address + block.size <= address_limit);
    require(block.place <= tarn::sight::Place::outside);
    require(block.content <= tarn::sight::Content::spare);
  });
  attempt([&] {
    const PoolRow pool = read_pool(cells, 4096);
    const std::uint64_t pages = pool.size / 4096;
    require(pages >= 1 && pages <= pages_of_a_pool && pool.address % 4096 == 0);
    require(pages == pages_of_a_pool || pool.resident_pages >> pages == 0);
  });
  attempt([&] {
    const LargeRow large = read_large(cells);
    require(large.resident <= large.size && large.address + large.size <= address_limit);
  });
  attempt([&] { require(read_mapping(cells).resident <= address_limit); });
  attempt([&] { require(read_ledger(cells).key.size() <= text_limit); });
  attempt([&] { require(read_type(cells).name.size() <= text_limit); });
  attempt([&] { require(read_root(cells).block <= address_limit); });
  attempt([&] { require(read_frame(cells).line <= INT32_MAX); });
  attempt([&] { require(read_site(cells).rate >= 1); });
  attempt([&] {
    const SampleRow sample = read_sample(cells);
    require(sample.weight >= 1 && sample.weight <= static_cast<double>(count_limit));
  });
  attempt([&] { require(read_site_frame(cells).position <= count_limit); });
  attempt([&] { require(read_reference(cells).target <= address_limit); });
  return 0;
}
