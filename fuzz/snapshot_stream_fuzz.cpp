// What a process writes when a snapshot of it is taken: whatever it is, it's read or refused, and what was read leads to
// chains that end.
#include <cmath>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "sight/holders.h"
#include "sight/stream_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  using namespace tarn::sight;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  try {
    StreamReader reader;
    reader.take(text.substr(0, size / 2));
    reader.take(text.substr(size / 2));
    Capture capture = reader.finish();
    find_holders(capture);
    for (const Sample& sample : capture.samples) {
      TARN_CHECK(std::isfinite(sample.weight) && sample.weight > 1, ==, true,
                 "a sample stands for more than itself");
      TARN_CHECK(capture.blocks[sample.block].site, !=, no_site, "a sampled block has a site");
    }
    for (const Block& block : capture.blocks) {
      TARN_CHECK(block.site == no_site || block.site < capture.sites.size(), ==, true,
                 "a block's site is there");
      const Block* at = &block;
      for (std::uint32_t depth = block.depth; depth != 0; --depth) {
        at = &capture.blocks[at->holder];
      }
      TARN_CHECK(at->holder, ==, no_block, "a chain ends at its root");
    }
  } catch (const BadStream&) {
  }
  return 0;
}
