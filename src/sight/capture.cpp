#include "sight/capture.h"

#include <algorithm>

#include "sight/pool_record.h"

namespace tarn::sight {

std::uint32_t Capture::find(std::uint64_t address) const {
  if (const auto found = pool_of_page.find(address >> page_shift); found != pool_of_page.end()) {
    const Pool& pool = pools[found->second];
    const std::uint64_t index = (address - first_block_of(pool)) / pool.block_size;
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

}  // namespace tarn::sight
