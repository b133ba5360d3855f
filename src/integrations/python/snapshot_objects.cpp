#include "integrations/python/snapshot_objects.h"

#include <cstring>
#include <initializer_list>

#include "heap/debug_block.h"
#include "integrations/python/hook.h"

namespace tarn::python {

namespace {

struct ObjectView {
  std::uint64_t refcount;
  std::uint64_t type;
};

struct CollectorHeader {
  std::uint64_t next;
  std::uint64_t previous;
  static constexpr std::uint64_t flags = 3;

  [[nodiscard]] bool is_tracked() const noexcept { return (next & ~flags) != 0; }
};

// A PyDictObject up to its values, as 3.8 to 3.14 lay it out.
struct DictView {
  ObjectView object;
  std::uint64_t used;
  std::uint64_t version;
  const void* keys;
  const void* split_values;
};

constexpr std::uint64_t most_scanned = 4096;

const ObjectView& object_at(std::uint64_t address) noexcept {
  return *reinterpret_cast<const ObjectView*>(address);
}

std::uint64_t count_of(std::uint64_t object) noexcept {
  const std::uint64_t count = object_at(object).refcount;
  return hook.version.minor >= 14 ? count & UINT32_MAX : count;  // then the other half holds flags
}

bool is_immortal(std::uint64_t count) noexcept {
  return hook.version.minor >= 12 && (count >> 32) == 0 && (count >> 31) != 0;
}

bool is_plausible(std::uint64_t count) noexcept { return (count >> 31) == 0 || is_immortal(count); }

}  // namespace

bool SnapshotObjects::try_prefix(const SnapshotBlocks::Found& block, std::uint32_t before,
                                 std::uint32_t prefix) noexcept {
  if (before + prefix + sizeof(ObjectView) > block.area->block_size) {
    return false;
  }
  const std::uint64_t object = block.address + before + prefix;
  const std::uint32_t type = types_.find(object_at(object).type);
  if (type == SnapshotTypes::none || SnapshotTypes::prefix_of(types_[type]) != prefix) {
    return false;
  }
  const std::uint64_t count = count_of(object);
  // A str of ASCII is smaller than its type says, and so is a datetime without a time zone.
  constexpr std::uint64_t less = 16;
  if (!is_plausible(count) || (static_cast<std::uint64_t>(types_[type].basicsize) >
                                   block.area->block_size - before - prefix + less &&
                               !types_[type].is(TypeView::unicode_subclass))) {
    return false;
  }
  std::uint8_t found = mark::candidate;
  if (types_[type].is(TypeView::have_gc)) {
    const auto& header =
        *reinterpret_cast<const CollectorHeader*>(object - sizeof(CollectorHeader));
    if (header.is_tracked()) {
      const std::uint64_t next = header.next & ~CollectorHeader::flags;
      if (!memory_.holds(next, sizeof(CollectorHeader)) || next % 8 != 0 ||
          (reinterpret_cast<const CollectorHeader*>(next)->previous & ~CollectorHeader::flags) !=
              object - sizeof(CollectorHeader)) {
        return false;
      }
      found |= mark::linked;
    }
  }
  if (count == 0) {
    found |= mark::spare;
  }
  found |= static_cast<std::uint8_t>(((before + prefix) / 16) << mark::prefix_shift);
  blocks_.mark_of(block) |= found;
  return true;
}

void SnapshotObjects::look_at(const SnapshotBlocks::Found& block) noexcept {
  // What debug hooks put before: Tarn's own, and Python's.
  const std::uint32_t of_tarn =
      hook.settings.checks == Checks::debug ? heap::DebugBlock::header_size : 0;
  const std::uint32_t of_python = is_outermost() ? 0 : 16;
  for (std::uint32_t extra = 0; extra <= of_python; extra += 16) {
    for (const std::uint32_t prefix : {16U, 0U, 32U}) {
      if (try_prefix(block, of_tarn + extra, prefix)) {
        return;
      }
    }
  }
}

void SnapshotObjects::find_objects() noexcept {
  blocks_.for_each_allocated([this](const SnapshotBlocks::Found& block) {
    if (block.area->domain == Domain::obj && !guarded([&] { look_at(block); })) {
      ++unreadable_;
    }
  });
  for (std::uint32_t type = 0; type < types_.count(); ++type) {
    see_outside(reinterpret_cast<std::uint64_t>(&types_[type]));
  }
}

// An object that isn't in a block of Tarn's.
void SnapshotObjects::see_outside(std::uint64_t object) noexcept {
  if (outside_.find(object) != AddressIndex::none || blocks_.find(object).area != nullptr ||
      SnapshotBlocks::is_in_arena(object)) {  // a pointer to what is no longer there
    return;
  }
  const std::uint32_t type = memory_.holds(object, sizeof(ObjectView)) && object % 8 == 0
                                 ? types_.find(object_at(object).type)
                                 : SnapshotTypes::none;
  if (type == SnapshotTypes::none || !is_plausible(count_of(object))) {
    return;
  }
  outside_.insert(object, outside_count_);
  if (outside_count_ == outside_capacity_) {
    outside_capacity_ = outside_capacity_ == 0 ? 4096 : 2 * outside_capacity_;
    auto* const larger = snapshot_array<std::uint64_t>(outside_capacity_);
    if (outside_count_ != 0) {
      std::memcpy(larger, outside_list_, outside_count_ * sizeof(larger[0]));
    }
    outside_list_ = larger;
  }
  outside_list_[outside_count_++] = object;
  std::uint32_t flags = sight::object_flags::outside;
  flags |= is_immortal(count_of(object)) ? sight::object_flags::immortal : 0;
  // A static type has no header of the collector's, nor has a block of another allocator's whose type we can't be sure
  // of: only what has one for certain is asked.
  snapshot_stream.object({.block = object,
                          .refcount = count_of(object),
                          .prefix = 0,
                          .type = type,
                          .flags = flags,
                          .reserved = 0});
}

int SnapshotObjects::visit(void* target, void* self) noexcept {
  auto& objects = *static_cast<SnapshotObjects*>(self);
  const auto address = reinterpret_cast<std::uint64_t>(target);
  ++objects.visited_;
  snapshot_stream.reference(address);
  if (const SnapshotBlocks::Found block = objects.blocks_.find(address); block.area != nullptr) {
    std::uint8_t& mark = objects.blocks_.mark_of(block);
    if (address - block.address == std::uint64_t{16} * (mark >> mark::prefix_shift)) {
      mark |= mark::referenced;
    }
  } else {
    objects.see_outside(address);
  }
  return 0;
}

void SnapshotObjects::refer_if_object(void* address) noexcept {
  const auto object = reinterpret_cast<std::uint64_t>(address);
  if (object % 8 == 0 && memory_.holds(object, sizeof(ObjectView)) &&
      types_.find(object_at(object).type) != SnapshotTypes::none &&
      is_plausible(count_of(object))) {
    visit(address, this);
  }
}

// Its traverse refuses to be called.
void SnapshotObjects::follow_static_type(const TypeView& type) noexcept {
  for (void* const held :
       {type.dict, type.base, type.bases, type.mro, type.cache, type.subclasses}) {
    refer_if_object(held);
  }
}

void SnapshotObjects::follow(std::uint64_t object) noexcept {
  const std::uint32_t number = types_.find(object_at(object).type);
  if (number == SnapshotTypes::none) {
    return;
  }
  const TypeView& type = types_[number];
  if (type.is(TypeView::type_subclass)) {
    const auto& as_type = *reinterpret_cast<const TypeView*>(object);
    if (!as_type.is(TypeView::heap_type)) {
      follow_static_type(as_type);
      return;
    }
  }
  using Visit = int (*)(void*, void*);
  using Traverse = int (*)(void*, Visit, void*);
  using IsGc = int (*)(void*);
  const auto traverse = reinterpret_cast<Traverse>(type.traverse);
  const auto is_gc = reinterpret_cast<IsGc>(type.is_gc);
  auto* const pointer = reinterpret_cast<void*>(object);
  if (!type.is(TypeView::have_gc) || traverse == nullptr ||
      (is_gc != nullptr && is_gc(pointer) == 0)) {
    return;
  }
  const std::uint64_t visited_before = visited_;
  traverse(pointer, visit, this);
  if (type.is(TypeView::dict_subclass)) {
    follow_keys(object, visited_ - visited_before);
  }
}

// A dict's traverse shows its keys only where some aren't str. The keys of a table that instances share aren't the
// dict's own. What a subclass shows besides could hide that keys are missing, where there are as few of these.
void SnapshotObjects::follow_keys(std::uint64_t dict, std::uint64_t shown) noexcept {
  const auto& view = *reinterpret_cast<const DictView*>(dict);
  if (view.split_values != nullptr || view.used == 0 || shown >= 2 * view.used) {
    return;
  }
  std::ptrdiff_t position = 0;
  PyObject* key = nullptr;
  PyObject* value = nullptr;
  while (PyDict_Next(reinterpret_cast<PyObject*>(dict), &position, &key, &value) != 0) {
    visit(key, this);
  }
}

void SnapshotObjects::write_objects() noexcept {
  blocks_.for_each_allocated([this](const SnapshotBlocks::Found& block) {
    const std::uint8_t mark = blocks_.mark_of(block);
    if ((mark & mark::candidate) == 0) {
      return;
    }
    const std::uint32_t prefix = 16U * (mark >> mark::prefix_shift);
    const std::uint64_t count = count_of(block.address + prefix);
    std::uint32_t flags = is_immortal(count) ? sight::object_flags::immortal : 0;
    flags |=
        (mark & mark::linked) != 0 ? sight::object_flags::tracked | sight::object_flags::linked : 0;
    flags |= (mark & mark::spare) != 0 ? sight::object_flags::spare : 0;
    snapshot_stream.object({.block = block.address,
                            .refcount = count,
                            .prefix = prefix,
                            .type = types_.find(object_at(block.address + prefix).type),
                            .flags = flags,
                            .reserved = 0});
  });
}

void SnapshotObjects::find_references() noexcept {
  const auto follow_guarded = [this](std::uint64_t object) {
    snapshot_stream.begin_references(object);
    const bool is_readable = guarded([&] { follow(object); });
    snapshot_stream.end_references();
    return is_readable;
  };
  blocks_.for_each_allocated([&](const SnapshotBlocks::Found& block) {
    std::uint8_t& mark = blocks_.mark_of(block);
    if ((mark & mark::candidate) == 0 || (mark & mark::spare) != 0 ||
        follow_guarded(block.address + std::uint64_t{16} * (mark >> mark::prefix_shift))) {
      return;
    }
    if ((mark & (mark::linked | mark::referenced)) != 0) {
      ++unreadable_;
    } else {
      mark = mark::allocated;  // it only looked like one: what an object left behind, say
    }
  });
  write_objects();
  // What these refer to may be outside too, and is added while the list is gone through.
  for (std::uint32_t i = 0; i < outside_count_; ++i) {
    unreadable_ += follow_guarded(outside_list_[i]) ? 0U : 1U;
  }
}

// Words that point to a block that isn't known to be an object.
void SnapshotObjects::scan(std::uint64_t start, std::uint64_t size, std::uint64_t source) noexcept {
  const std::uint64_t end = start + (size < most_scanned ? size : most_scanned);
  for (std::uint64_t at = start; at + 8 <= end; at += 8) {
    const std::uint64_t word = *reinterpret_cast<const std::uint64_t*>(at);
    const SnapshotBlocks::Found block = blocks_.find(word);
    if (block.area == nullptr ||
        (blocks_.mark_of(block) & (mark::linked | mark::referenced)) != 0 ||
        (start >= block.address && start < block.address + block.area->block_size)) {
      continue;
    }
    snapshot_stream.part(source, block.address);
  }
}

void SnapshotObjects::find_parts() noexcept {
  blocks_.for_each_allocated([this](const SnapshotBlocks::Found& block) {
    const std::uint8_t mark = blocks_.mark_of(block);
    std::uint64_t size = block.area->block_size;
    if ((mark & mark::candidate) != 0) {
      if ((mark & mark::spare) != 0) {
        return;
      }
      const std::uint64_t prefix = std::uint64_t{16} * (mark >> mark::prefix_shift);
      const std::uint32_t type = types_.find(object_at(block.address + prefix).type);
      if (type == SnapshotTypes::none) {
        return;
      }
      const std::uint64_t of_struct = prefix + static_cast<std::uint64_t>(types_[type].basicsize);
      size = of_struct < size ? of_struct : size;
    }
    if (!guarded([&] { scan(block.address, size, block.address); })) {
      ++unreadable_;
    }
  });
  for (std::uint32_t i = 0; i < outside_count_; ++i) {
    const std::uint64_t object = outside_list_[i];
    const std::uint32_t type = types_.find(object_at(object).type);
    if (type != SnapshotTypes::none && !guarded([&] {
          scan(object, static_cast<std::uint64_t>(types_[type].basicsize), object);
        })) {
      ++unreadable_;
    }
  }
}

}  // namespace tarn::python
