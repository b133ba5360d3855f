#include "alloc/mappings.h"

#include "base/assert.h"
#include "base/bits.h"
#include "os/virtual_memory.h"

namespace tarn::alloc {

std::size_t Mappings::home_of(const void* address) const noexcept {
  // Fibonacci hashing: the low bits of an address say little.
  const std::uint64_t mixed = (base::address_of(address) >> 12) * 0x9E3779B97F4A7C15ULL;
  return static_cast<std::size_t>(mixed >> 32) & (capacity_ - 1);
}

// The slot that holds the address, or the empty one where it belongs.
std::size_t Mappings::slot_of(const void* address) const noexcept {
  std::size_t slot = home_of(address);
  while (slots_[slot].address != nullptr && slots_[slot].address != address) {
    slot = (slot + 1) & (capacity_ - 1);
  }
  return slot;
}

const Mappings::Entry* Mappings::find(const void* address) const noexcept {
  if (live_ == 0) {
    return nullptr;
  }
  const Entry& entry = slots_[slot_of(address)];
  return entry.address == nullptr ? nullptr : &entry;
}

bool Mappings::is_kept(const void* address) const noexcept {
  for (std::size_t i = 0; i < kept_count_; ++i) {
    if (base::address_of(address) - base::address_of(kept_[i].address) < kept_[i].bytes) {
      return true;
    }
  }
  return false;
}

bool Mappings::make_room() noexcept {
  if (2 * (live_ + 1) <= capacity_) {
    return true;
  }
  Entry* const old = slots_;
  const std::size_t old_capacity = capacity_;
  constexpr std::size_t least = 128;
  const std::size_t capacity = old_capacity == 0 ? least : 2 * old_capacity;
  const std::size_t bytes = base::round_up(capacity * sizeof(Entry), os::page_size());
  auto* const slots = static_cast<Entry*>(os::map(bytes, os::page_size()));
  if (slots == nullptr) {
    return false;
  }
  slots_ = slots;
  capacity_ = capacity;
  for (std::size_t i = 0; i < old_capacity; ++i) {
    if (old[i].address != nullptr) {
      slots_[slot_of(old[i].address)] = old[i];
    }
  }
  if (old != nullptr) {
    os::release(old, base::round_up(old_capacity * sizeof(Entry), os::page_size()));
  }
  return true;
}

void Mappings::insert(std::byte* address, std::size_t bytes, Domain domain) noexcept {
  slots_[slot_of(address)] = {address, bytes, domain, 0};
  ++live_;
  live_bytes_ += bytes;
}

Mappings::Entry Mappings::remove(const void* address) noexcept {
  std::size_t hole = slot_of(address);
  const Entry removed = slots_[hole];
  std::size_t next = hole;
  while (true) {
    next = (next + 1) & (capacity_ - 1);
    if (slots_[next].address == nullptr) {
      break;
    }
    // A follower fills the hole unless its home lies between the hole and itself.
    const std::size_t from_home = (next - home_of(slots_[next].address)) & (capacity_ - 1);
    const std::size_t from_hole = (next - hole) & (capacity_ - 1);
    if (from_home >= from_hole) {
      slots_[hole] = slots_[next];
      hole = next;
    }
  }
  slots_[hole] = {};
  --live_;
  live_bytes_ -= removed.bytes;
  return removed;
}

// The smallest that fits, its start; else the largest of those too small, made larger.
std::byte* Mappings::take_kept(std::size_t bytes) noexcept {
  std::size_t fits = most_kept;
  std::size_t largest = most_kept;
  for (std::size_t i = 0; i < kept_count_; ++i) {
    if (kept_[i].bytes >= bytes) {
      fits = fits == most_kept || kept_[i].bytes < kept_[fits].bytes ? i : fits;
    } else {
      largest = largest == most_kept || kept_[i].bytes > kept_[largest].bytes ? i : largest;
    }
  }
  if (fits != most_kept) {
    std::byte* const address = kept_[fits].address;
    kept_bytes_ -= bytes;
    if (kept_[fits].bytes == bytes) {
      kept_[fits] = kept_[--kept_count_];
    } else {
      kept_[fits].address += bytes;
      kept_[fits].bytes -= bytes;
    }
    return address;
  }
  if (largest == most_kept) {
    return nullptr;
  }
  void* const grown = os::remap(kept_[largest].address, kept_[largest].bytes, bytes);
  if (grown != nullptr) {
    kept_bytes_ -= kept_[largest].bytes;
    kept_[largest] = kept_[--kept_count_];
  }
  return static_cast<std::byte*>(grown);
}

void* Mappings::allocate(std::size_t bytes, Domain domain, bool& is_zero, bool is_dense) noexcept {
  is_zero = false;
  const std::size_t whole = base::round_up(bytes, os::page_size());
  if (whole < bytes || !make_room()) {
    return nullptr;
  }
  if (std::byte* const address = take_kept(whole)) {
    insert(address, whole, domain);
    return address;
  }
  is_zero = true;
  return allocate_fresh(bytes, domain, is_dense);
}

void* Mappings::allocate_fresh(std::size_t bytes, Domain domain, bool is_dense) noexcept {
  const std::size_t whole = base::round_up(bytes, os::page_size());
  if (whole < bytes || !make_room()) {
    return nullptr;
  }
  auto* const address = static_cast<std::byte*>(os::map(whole, os::page_size()));
  if (address != nullptr) {
    // All of it, since a mapping of two kinds can't be moved; what is behind its last whole large page has
    // small ones.
    if (is_dense) {
      os::prefer_large_pages(address, whole);
    }
    insert(address, whole, domain);
  }
  return address;
}

void* Mappings::resize(void* address, std::size_t bytes) noexcept {
  const std::size_t page = os::page_size();
  const Entry& entry = slots_[slot_of(address)];
  const std::size_t exact = base::round_up(bytes, page);
  std::size_t whole = exact;
  if (whole < bytes) {
    return nullptr;
  }
  if (whole > entry.bytes) {
    // What grows goes on growing, often by a few bytes: addresses for an eighth more, which cost no memory.
    const std::size_t more = base::round_up(whole + whole / 8, page);
    whole = more > whole ? more : whole;
  } else if (whole > entry.bytes / 8 * 7) {
    return address;
  }
  auto* moved = static_cast<std::byte*>(os::remap(address, entry.bytes, whole));
  if (moved == nullptr && whole != exact) {
    whole = exact;  // under a limit there may be room for that
    moved = static_cast<std::byte*>(os::remap(address, entry.bytes, whole));
  }
  if (moved == nullptr) {
    return nullptr;
  }
  const Entry before = remove(address);
  insert(moved, whole, before.domain);
  ++resized_;
  return moved;
}

void Mappings::drop_kept(std::size_t i) noexcept {
  os::release(kept_[i].address, kept_[i].bytes);
  kept_bytes_ -= kept_[i].bytes;
  kept_[i] = kept_[--kept_count_];
}

void Mappings::keep(std::byte* address, std::size_t bytes) noexcept {
  kept_bytes_ += bytes;
  // A joined one's age is the mean over its pages: see SpanSet::put.
  std::uint64_t age = 0;
  for (std::size_t i = 0; i < kept_count_;) {
    Entry& other = kept_[i];
    const bool is_before = other.address + other.bytes == address;
    if (is_before || address + bytes == other.address) {
      const std::uint64_t of_other = now_ - other.freed_at;
      age =
          (age * (bytes / 4096) + of_other * (other.bytes / 4096)) / ((bytes + other.bytes) / 4096);
      address = is_before ? other.address : address;
      bytes += other.bytes;
      other = kept_[--kept_count_];
    } else {
      ++i;
    }
  }
  if (kept_count_ == most_kept) {
    std::size_t oldest = 0;
    for (std::size_t i = 1; i < kept_count_; ++i) {
      oldest = now_ - kept_[i].freed_at > now_ - kept_[oldest].freed_at ? i : oldest;
    }
    drop_kept(oldest);
  }
  kept_[kept_count_++] = {address, bytes, Domain::raw, static_cast<std::uint32_t>(now_ - age)};
}

void Mappings::free(void* address, bool keep_it) noexcept {
  const Entry entry = remove(address);
  if (keep_it) {
    keep(entry.address, entry.bytes);
  } else {
    os::release(entry.address, entry.bytes);
  }
}

std::size_t Mappings::unmap_kept(std::size_t bytes) noexcept {
  std::size_t done = 0;
  while (done < bytes && kept_count_ != 0) {
    done += kept_[0].bytes;
    drop_kept(0);
  }
  return done;
}

void Mappings::verify() const noexcept {
  std::size_t live = 0;
  std::size_t bytes = 0;
  for_each_live([&](const Entry& entry) {
    TARN_CHECK(find(entry.address), ==, &entry, "M1: the table finds each of its entries");
    ++live;
    bytes += entry.bytes;
  });
  TARN_CHECK(live, ==, live_, "M1: as many mappings as counted");
  TARN_CHECK(bytes, ==, live_bytes_, "M1: as many live bytes as counted");
  bytes = 0;
  for (std::size_t i = 0; i < kept_count_; ++i) {
    bytes += kept_[i].bytes;
    for (std::size_t j = 0; j < i; ++j) {
      TARN_CHECK(kept_[i].address < kept_[j].address + kept_[j].bytes &&
                     kept_[j].address < kept_[i].address + kept_[i].bytes,
                 ==, false, "M2: kept mappings don't overlap");
    }
  }
  TARN_CHECK(bytes, ==, kept_bytes_, "M2: as many kept bytes as counted");
}

void Mappings::close() noexcept {
  for_each_live([](const Entry& entry) { os::release(entry.address, entry.bytes); });
  for_each_kept([](const Entry& entry) { os::release(entry.address, entry.bytes); });
  if (slots_ != nullptr) {
    os::release(slots_, base::round_up(capacity_ * sizeof(Entry), os::page_size()));
  }
  *this = Mappings();
}

}  // namespace tarn::alloc
