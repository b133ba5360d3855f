// Which block is which object, who refers to whom, and whose part a block is. Nothing of Python's is called but
// tp_traverse, tp_is_gc and PyDict_Next, and nothing of Python's is written to: so the pages of the copy stay shared.
//
//   an object's block     │ managed dict, weakrefs │ collector's header │ count │ type │ … │
//                           3.11 and later: 0 or 16   0 or 16           ▲ id()
//                         └────────── prefix, as the type says ────────┘
//
// A block is taken for an object if its type's address is a type's, its prefix is that type's, its count is
// plausible, and the collector's list, if it is in it, leads to it and back. What is no object, and what an object's
// struct points to, is a part of that object.
#pragma once

#include <cstdint>

#include "integrations/python/snapshot_blocks.h"
#include "integrations/python/snapshot_types.h"

namespace tarn::python {

class SnapshotObjects {
 public:
  SnapshotObjects(SnapshotBlocks& blocks, SnapshotTypes& types,
                  const ReadableMemory& memory) noexcept
      : blocks_(blocks), types_(types), memory_(memory) {}

  void find_objects() noexcept;
  void find_references() noexcept;
  void find_parts() noexcept;

  // visit(block, object): addresses of all that were found, the live ones alone. Outside of Tarn both are the object's.
  template <typename Visit>
  void for_each(Visit visit) noexcept {
    blocks_.for_each_allocated([&](const SnapshotBlocks::Found& block) {
      const std::uint8_t mark = blocks_.mark_of(block);
      if ((mark & mark::candidate) != 0 && (mark & mark::spare) == 0) {
        visit(block.address, block.address + std::uint64_t{16} * (mark >> mark::prefix_shift));
      }
    });
    for (std::uint32_t i = 0; i < outside_count_; ++i) {
      visit(outside_list_[i], outside_list_[i]);
    }
  }

  [[nodiscard]] std::uint64_t unreadable() const noexcept { return unreadable_; }

 private:
  void look_at(const SnapshotBlocks::Found& block) noexcept;
  [[nodiscard]] bool try_prefix(const SnapshotBlocks::Found& block, std::uint32_t before,
                                std::uint32_t prefix) noexcept;
  void write_objects() noexcept;
  void follow(std::uint64_t object) noexcept;
  void follow_keys(std::uint64_t dict, std::uint64_t shown) noexcept;
  void follow_static_type(const TypeView& type) noexcept;
  void refer_if_object(void* address) noexcept;
  void see_outside(std::uint64_t object) noexcept;
  void scan(std::uint64_t start, std::uint64_t size, std::uint64_t source) noexcept;

  static int visit(void* target, void* self) noexcept;

  SnapshotBlocks& blocks_;
  SnapshotTypes& types_;
  const ReadableMemory& memory_;
  std::uint64_t unreadable_ = 0;
  std::uint64_t visited_ = 0;  // references, so far
  AddressIndex outside_;
  std::uint64_t* outside_list_ = nullptr;  // in the order in which they were seen
  std::uint32_t outside_count_ = 0;
  std::uint32_t outside_capacity_ = 0;
};

}  // namespace tarn::python
