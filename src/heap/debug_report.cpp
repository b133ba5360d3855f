#include "heap/debug_report.h"

#include "base/message.h"

namespace tarn::heap {

namespace {

const char* name_of(BlockState state) noexcept {
  constexpr const char* names[] = {"untouched", "allocated", "free"};
  return names[static_cast<std::size_t>(state)];
}
const char* name_of(PoolState state) noexcept {
  constexpr const char* names[] = {"untouched", "empty", "used", "full"};
  return names[static_cast<std::size_t>(state)];
}
const char* name_of(Domain domain) noexcept {
  constexpr const char* names[] = {"raw", "mem", "obj"};
  return names[static_cast<std::size_t>(domain)];
}

void describe_block(base::Message& message, const Place& place) noexcept {
  if (place.block == nullptr) {
    message.text("  behind the last block of its pool\n");
    return;
  }
  message.text("  block ").number(place.block_index).text(" of ").number(place.pool->blocks);
  message.text(", ").number(place.pool->block_size).text(" bytes each, at ");
  message.address(place.block).text(": ").text(name_of(place.block_state)).text("\n");
}

void describe_pool(base::Message& message, const Place& place) noexcept {
  const alloc::Pool& pool = *place.pool;
  message.text("  pool ").number(place.pool_index).text(" of ").number(place.pools);
  message.text(", at ").address(place.pool_address).text(": ").text(name_of(pool.state));
  if (pool.state == PoolState::used || pool.state == PoolState::full) {
    message.text(", size class ").number(pool.szidx).text(", domain ").text(name_of(pool.domain));
    message.text(", ").number(pool.allocated()).text(" blocks allocated");
  }
  message.text("\n");
}

}  // namespace

void report_and_abort(const char* what, const void* address, Domain domain, const char* detail,
                      const void* detail_address, const Place& place) noexcept {
  base::Message message;
  message.text("tarn: ").text(what).text(" ").address(address);
  message.text(" in domain ").text(name_of(domain)).text("\n");
  if (detail != nullptr) {
    message.text("  ").text(detail);
    if (detail_address != nullptr) {
      message.text(" ").address(detail_address);
    }
    message.text("\n");
  }
  if (place.arena == nullptr) {
    message.text("  in no arena of this heap\n");
    base::fail(message);
  }
  if (place.pool != nullptr) {
    if (place.pool->state == PoolState::used || place.pool->state == PoolState::full) {
      describe_block(message, place);
    }
    describe_pool(message, place);
  }
  message.text("  arena at ").address(place.arena->address).text(", ");
  message.number(place.arena_size).text(" bytes: ").number(place.arena->nfreepools);
  message.text(" of ").number(place.pools).text(" pools free\n");
  base::fail(message);
}

}  // namespace tarn::heap
