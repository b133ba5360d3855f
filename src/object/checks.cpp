// What builds that check objects ask. Always compiled: a program may check although the library doesn't.
#include <cstdlib>
#include <mutex>
#include <unordered_map>

#include <tarn/gil.h>
#include <tarn/object.h>

#include "base/assert.h"
#include "base/message.h"
#include "object/checks.h"
#include "object/heap_state.h"

namespace tarn::object {

namespace {

// Plain pointers: never destroyed, since objects may be let go by destructors of static variables.
std::mutex& borrows_mutex() {
  static auto* const mutex = new std::mutex;
  return *mutex;
}
std::unordered_map<const Object*, std::size_t>& borrows() {
  static auto* const map = new std::unordered_map<const Object*, std::size_t>;
  return *map;
}

}  // namespace

void check_not_borrowed(const Object& object) noexcept {
  const std::lock_guard<std::mutex> locked(borrows_mutex());
  const auto found = borrows().find(&object);
  if (found != borrows().end()) {
    base::fail(base::Message()
                   .text("tarn: an object of type ")
                   .escaped(object.type().name())
                   .text(" at ")
                   .address(&object)
                   .text(" dies while it is borrowed ")
                   .number(found->second)
                   .text(" times; hold a Ref for as long as it is used\n"));
  }
}

}  // namespace tarn::object

namespace tarn::detail {

namespace {
constinit thread_local ConstructionCheck* innermost = nullptr;
constinit thread_local const char* dying_by_list = nullptr;  // a type's name
}  // namespace

ListDeathCheck::ListDeathCheck(const char* type_name) noexcept : before_(dying_by_list) {
  dying_by_list = type_name;
}
ListDeathCheck::~ListDeathCheck() { dying_by_list = before_; }

void check_touch(const Object& object) noexcept {
  const Type* const type = Access::type(object);
  if (type == nullptr) {
    return;
  }
  if (dying_by_list != nullptr) {
    base::fail(base::Message()
                   .text("tarn: a destructor in ")
                   .escaped(dying_by_list)
                   .text(" touches an object of type ")
                   .escaped(type->name())
                   .text(", though its list says that there is none; use tarn::members in place of "
                         "tarn::only_members\n"));
  }
  object::HeapState& state = object::HeapState::of(type->heap());
  Gil& gil = state.gil();
  if (gil.is_in_use() && !gil.is_held_by_this_thread() && !state.is_ending()) {
    base::fail(base::Message()
                   .text("tarn: a thread touches an object of type ")
                   .escaped(type->name())
                   .text(" at ")
                   .address(&object)
                   .text(" without the Gil of its heap; put a Gil::Guard around it\n"));
  }
}

void check_retain(const Object& object) noexcept {
  check_touch(object);
  const Type* const type = Access::type(object);
  if (type != nullptr && Access::is_dying(object)) {
    base::fail(
        base::Message()
            .text("tarn: a reference is made to an object of type ")
            .escaped(type->name())
            .text(" at ")
            .address(&object)
            .text(" that is dying, and would destroy it a second time when it goes; refer to "
                  "an object anew in its finalize(), not in its destructor\n"));
  }
}

void borrow_begins(const Object& object) noexcept {
  Type* const type = Access::type(object);
  if (type != nullptr) {
    TypeAccess::add_watch(*type, watch_checks);
    const std::lock_guard<std::mutex> locked(object::borrows_mutex());
    ++object::borrows()[&object];
  }
}

void borrow_ends(const Object& object) noexcept {
  const std::lock_guard<std::mutex> locked(object::borrows_mutex());
  const auto found = object::borrows().find(&object);
  if (found != object::borrows().end() && --found->second == 0) {
    object::borrows().erase(found);
  }
}

ConstructionCheck::ConstructionCheck(void* block, std::size_t size) noexcept
    : block_(static_cast<const std::byte*>(block)), size_(size), outer_(innermost) {
  innermost = this;
}

ConstructionCheck::~ConstructionCheck() {
  std::free(members_);
  innermost = outer_;
}

void check_alignment(const void* block, std::size_t alignment, const char* type_name) noexcept {
  if (base::address_of(block) % alignment != 0) {
    base::fail(base::Message()
                   .text("tarn: ")
                   .escaped(type_name)
                   .text(" is aligned to ")
                   .number(static_cast<std::uint64_t>(alignment))
                   .text(" bytes, and the type that it's made as isn't; say so in its "
                         "TypeSpec::alignment\n"));
  }
}

void check_construction(const Object* object) noexcept {
  if (innermost == nullptr || reinterpret_cast<const std::byte*>(object) != innermost->block_) {
    base::fail(base::Message()
                   .text("tarn: an object is constructed at ")
                   .address(object)
                   .text(", outside of a heap; make it by ObjectHeap::make\n"));
  }
}

void member_begins(const void* member) noexcept {
  ConstructionCheck* const check = innermost;
  if (check == nullptr || static_cast<std::size_t>(static_cast<const std::byte*>(member) -
                                                   check->block_) >= check->size_) {
    return;
  }
  if (check->count_ == check->capacity_) {
    const std::size_t capacity = check->capacity_ == 0 ? 16 : 2 * check->capacity_;
    auto* const members =
        static_cast<const void**>(std::realloc(check->members_, capacity * sizeof(void*)));
    if (members == nullptr) {
      return;  // one that's forgotten then goes unseen
    }
    check->members_ = members;
    check->capacity_ = capacity;
  }
  check->members_[check->count_++] = member;
}

void member_ends(const void* member) noexcept {
  if (innermost != nullptr) {
    innermost->is_listed(member);
  }
}

void ConstructionCheck::is_listed(const void* member) noexcept {
  for (std::size_t i = 0; i < count_; ++i) {
    if (members_[i] == member) {
      members_[i] = members_[--count_];
      return;
    }
  }
}

void ConstructionCheck::finish(const char* type_name) noexcept {
  if (count_ != 0) {
    base::fail(
        base::Message()
            .text("tarn: ")
            .escaped(type_name)
            .text(" has a Member at offset ")
            .number(static_cast<std::uint64_t>(static_cast<const std::byte*>(members_[0]) - block_))
            .text(" that its list of members lacks; name it in tarn::members(…)\n"));
  }
}

}  // namespace tarn::detail
