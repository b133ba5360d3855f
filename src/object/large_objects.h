// Objects over detail::largest_pooled bytes: from the C library's allocator, each behind a record that links them
// and has what for others is in the side tables.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/list.h"
#include "object/side_tables.h"

namespace tarn::object {

class HeapState;

struct alignas(16) LargeObject {
  LargeObject* next;
  LargeObject* previous;
  std::size_t size;  // bytes, without the record
  std::uint32_t bits;
  std::uint32_t scratch;
  HeapState* heap;  // where it lives
  std::uint64_t collector;

  [[nodiscard]] Object* object() noexcept { return reinterpret_cast<Object*>(this + 1); }
  [[nodiscard]] static LargeObject& of(const void* object) noexcept {
    return const_cast<LargeObject*>(static_cast<const LargeObject*>(object))[-1];
  }
};
static_assert(sizeof(LargeObject) % 16 == 0);

}  // namespace tarn::object
