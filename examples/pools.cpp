// A heap of its own: blocks, containers on it, and what it says of itself.

#include <cstdio>
#include <map>
#include <memory_resource>
#include <string>
#include <vector>

#include <tarn/allocator.h>
#include <tarn/heap.h>
#include <tarn/memory_resource.h>

namespace {

// Draws each pool with a size class as a line: one character for each run of blocks.
class Picture final : public tarn::HeapVisitor {
 public:
  void arena(const tarn::ArenaView& arena) override {
    std::printf("arena of %zu KiB: %zu pools, %zu of them free\n", arena.size / 1024, arena.pools,
                arena.nfreepools);
  }

  void pool(const tarn::PoolView& pool) override {
    end_line();
    if (pool.state != tarn::PoolState::used && pool.state != tarn::PoolState::full) {
      return;  // no size class, no blocks
    }
    std::printf("  %3zu bytes, %3zu of %4zu blocks allocated  ", pool.block_size, pool.allocated,
                pool.blocks);
    drawing_ = true;
    drawn_ = 0;
  }

  void block(const tarn::BlockView& block) override {
    if (!drawing_ || drawn_ == 48) {
      return;
    }
    constexpr char characters[] = {'.', '#', 'o'};  // as BlockState: untouched, allocated, free
    std::putchar(characters[static_cast<std::size_t>(block.state)]);
    ++drawn_;
  }

  void end_line() {
    if (drawing_) {
      std::putchar('\n');
      drawing_ = false;
    }
  }

 private:
  bool drawing_ = false;
  int drawn_ = 0;
};

void draw(const tarn::Heap& heap, const char* title) {
  std::printf("\n%s\n", title);
  Picture picture;
  heap.walk(picture);
  picture.end_line();
}

std::size_t allocated_blocks(const tarn::Heap& heap) {
  // The statistics have a row for each size class of each domain.
  const tarn::HeapStatistics statistics = heap.statistics();
  std::size_t blocks = 0;
  for (const auto& classes : statistics.classes) {
    for (std::size_t szidx = 0; szidx < statistics.size_classes; ++szidx) {
      blocks += classes[szidx].blocks_allocated;
    }
  }
  return blocks;
}

}  // namespace

int main() {
  // Without options: Tarn's own geometry, and one thread at a time. A heap reserves addresses; memory
  // is committed arena by arena, when it is needed.
  tarn::Heap heap;

  // Blocks. 40 bytes are rounded up to the size class of 48. What is freed last is reused first.
  std::vector<void*> blocks;
  for (int i = 0; i < 24; ++i) {
    blocks.push_back(heap.allocate(40));
  }
  for (std::size_t i = 0; i < blocks.size(); i += 3) {
    heap.free(blocks[i]);
  }
  draw(heap, "24 blocks of 40 bytes, every third freed (# allocated, o free, . untouched)");
  void* const again = heap.allocate(40);
  std::printf("the block freed last comes first: %s\n", again == blocks[21] ? "yes" : "no");
  blocks[21] = again;

  // A polymorphic container: it takes a resource, and its strings take the same one.
  {
    tarn::MemoryResource resource(heap);
    std::pmr::vector<std::pmr::string> lines(&resource);
    for (int i = 0; i < 10; ++i) {
      lines.emplace_back("a string that is too long to lie within the object");
    }

    // A container whose type names the allocator; here in the domain for buffers, whose pools are apart.
    using Entry = std::pair<const int, double>;
    std::map<int, double, std::less<>, tarn::Allocator<Entry>> squares(
        tarn::Allocator<Entry>(heap, tarn::Domain::mem));
    for (int i = 0; i < 100; ++i) {
      squares[i] = i * i;
    }
    draw(heap, "with ten strings and a map of a hundred numbers");
  }
  std::printf("blocks allocated after the containers' end: %zu\n", allocated_blocks(heap));

  for (std::size_t i = 0; i < blocks.size(); ++i) {
    if (i % 3 != 0 || i == 21) {
      heap.free(blocks[i]);
    }
  }
  std::printf("after the last free: %zu\n", allocated_blocks(heap));

  // One empty arena is kept, since the next request may come soon. This gives it back too.
  const std::size_t released = heap.release_empty_arenas();
  std::printf("given back to the system: %zu KiB, arenas now: %zu\n", released / 1024,
              heap.statistics().arenas_now);
}
