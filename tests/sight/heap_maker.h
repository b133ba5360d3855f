// Heap images for tests, block by block.
#pragma once

#include <string>

#include "sight/reading/heap_image.h"

namespace tarn::sight::reading {

class HeapMaker {
 public:
  explicit HeapMaker(bool has_references) {
    image_.facts.has_references = has_references;
    image_.facts.page_size = 4096;
    image_.types = {"thing"};
  }

  std::uint32_t object(std::uint32_t holder = no_index, std::uint32_t refcount = 1) {
    Block block;
    block.address = 0x1000 + 64 * image_.blocks.size();
    block.size = 64;
    block.type = 0;
    block.content = Content::object;
    block.refcount = refcount;
    block.holder = holder;
    image_.blocks.push_back(block);
    return static_cast<std::uint32_t>(image_.blocks.size() - 1);
  }
  std::uint32_t part(std::uint32_t owner) {
    const std::uint32_t block = object(owner, 0);
    image_.blocks[block].content = Content::part;
    return block;
  }
  void refer(std::uint32_t from, std::uint32_t to) { image_.references.emplace_back(from, to); }
  void root(const std::string& kind, std::uint32_t block) {
    image_.roots.push_back({block, no_index, kind, "app.name"});
    image_.blocks[block].root = static_cast<std::uint32_t>(image_.roots.size() - 1);
  }
  HeapImage& image() { return image_; }

 private:
  HeapImage image_;
};

}  // namespace tarn::sight::reading
