// How objects die: the hot path, in full.
//
// Deaths nest, as the death of an object lets go of others, but only so deep: then the object waits until the outermost
// death is over (CPython calls it the trashcan). deaths_left is how much deeper those of one type may go; of a type
// whose deaths are watched it's negative from the start.
//
// Objects that own nothing but others of their own type, and say so (only_members), don't nest: no code of the program's own
// runs when they die, so nobody can tell in which order they do, and they are a list, through their counts, of those that are
// still to be taken apart:
//
//   waiting ──► object ──► object ──► ∅      each is taken from the front; whoever dies with it comes to the front;
//                                            then its block is freed
#pragma once

#include <tarn/object/make.h>

namespace tarn::detail {

// Whether the object may die here and now: weak references were cleared and called back, and the finalizer has run.
// False: it lives on, or waits.
[[nodiscard]] bool may_die(Object& object) noexcept;
// The same of one that counts among the deaths of its type that nest: no longer, where it may not die.
[[nodiscard]] bool may_die_nested(Object& object) noexcept;

// Of an object whose count is negative, and more so than one reference less explains: a collection under way hears of it. It may
// die of it.
void release_biased(Object& object) noexcept;
// The same, but if it's to die, that is left to the caller. False: it lives on.
[[nodiscard]] bool dies_biased(Object& object) noexcept;

// Lets go of those that wait in a list, whose type isn't `type`, as deaths that one of `type` nests.
void let_others_die(Type& type, Object* waiting) noexcept;

// The destructor sees items and members as they were.
template <typename T>
[[gnu::always_inline]] inline void destroy_of(T& object) noexcept {
  if constexpr (IsSized<T>) {
    const auto items = object.items();
    object.~T();
    std::destroy(items.begin(), items.end());
  } else {
    object.~T();
  }
}

// Whether a death can bring about others. (A destructor of T's own may do anything.)
template <typename T>
inline constexpr bool death_nests =
    !std::is_trivially_destructible_v<T> || ItemsOf<T>::are_traced || HasFinalizer<T>;

// Whether all that a T's death brings about are deaths of other Ts.
template <typename T>
[[nodiscard]] consteval bool dies_by_list() {
  if constexpr (!std::is_final_v<T> || IsSized<T> || HasFinalizer<T> ||
                sizeof(T) > largest_pooled) {
    return false;
  } else if constexpr (!has_own_members<T>() || !std::is_same_v<typename BaseOf<T>::type, Object>) {
    return false;
  } else {
    return std::apply(
        [](auto... pointer) {
          // T's own members, and T's own word: not that of a template which it derives from.
          return decltype(T::members)::are_all &&
                 (std::is_same_v<decltype(pointer), Member<T> T::*> && ...);
        },
        T::members.pointers);
  }
}

// Of objects that wait. The count stays negative: they are seen to be dying.
[[nodiscard, gnu::always_inline]] inline Object* put_before(Object* first,
                                                            Object& object) noexcept {
  Access::count(object) =
      no_reference - static_cast<Count>(reinterpret_cast<std::uintptr_t>(first));
  return &object;
}
[[nodiscard, gnu::always_inline]] inline Object* next_of(const Object& object) noexcept {
  return reinterpret_cast<Object*>(no_reference - Access::count(object));
}

// A destroyed object's block, in which the type stays until it is freed. Read from there it needs no register while destructors
// run; but what the compiler sees to be a destroyed object's it may take for undefined.
[[nodiscard, gnu::always_inline]] inline Object& block_of_destroyed(Object& object) noexcept {
  Object* block = &object;
  asm("" : "+r"(block) : : "memory");
  return *block;
}

template <typename T>
[[gnu::always_inline]] inline void die_nesting(Object& object) noexcept {
  if (--TypeAccess::deaths_left(object.type()) < 0) [[unlikely]] {
    if (!may_die_nested(object)) {
      return;
    }
  }
  destroy_of(static_cast<T&>(object));
  Object& block = block_of_destroyed(object);
  Type& type = block.type();
  ++TypeAccess::deaths_left(type);
  free_block_of<T>(type, &block);
}

template <typename T>
[[gnu::noinline]] void die_nesting_out_of_line(Object& object) noexcept {
  die_nesting<T>(object);
}

// Aborts when, while it exists, this thread touches an object: a destructor of the type's, which says that it has none.
class ListDeathCheck {
 public:
  explicit ListDeathCheck(const char* type_name) noexcept;
  ~ListDeathCheck();
  ListDeathCheck(const ListDeathCheck&) = delete;
  ListDeathCheck& operator=(const ListDeathCheck&) = delete;

 private:
  const char* before_;
};

template <typename T>
[[gnu::always_inline]] inline void die_by_list(Object& object, Type& type) noexcept {
  Object* dying = &object;
  Object* waiting = nullptr;
  Object* others = nullptr;  // of types made at run time for the same struct
  while (true) {
    Object* next = nullptr;
    const auto let_go = [&](const Member<T>& member) {
      T* const target = member.get();
      if (target == nullptr) {
        return;
      }
#if TARN_CHECK_OBJECTS
      check_touch(*target);
#endif
      if (!CountPolicy::decrement(Access::count(*target))) {
        return;
      }
      if (Access::count(*target) != no_reference && !dies_biased(*target)) [[unlikely]] {
        return;
      }
      if (&target->type() != &type) [[unlikely]] {
        others = put_before(others, *target);
      } else {
        waiting = next != nullptr ? put_before(waiting, *next) : waiting;
        next = target;
      }
    };
    std::apply([&](auto... pointer) { (let_go(static_cast<T*>(dying)->*pointer), ...); },
               T::members.pointers);
    // Its destructor finds nothing to do, which the compiler sees, if it's as only_members says.
    std::apply(
        [&](auto... pointer) {
          (static_cast<void>((static_cast<T*>(dying)->*pointer).take().release()), ...);
        },
        T::members.pointers);
    {
#if TARN_CHECK_OBJECTS
      const ListDeathCheck check(name_of_type<T>());
#endif
      destroy_of(static_cast<T&>(*dying));
    }
    free_block(type, dying);
    if (next == nullptr) {
      if (waiting == nullptr) {
        break;
      }
      next = waiting;
      waiting = next_of(*waiting);
    }
    dying = next;
  }
  if (others != nullptr) [[unlikely]] {
    let_others_die(type, others);
  }
}

// The count is looked at here and not where a reference is let go: there it need not be in a register.
template <typename T>
[[gnu::noinline]] void deallocate_of(Object& object) noexcept {
  if (Access::count(object) != no_reference) [[unlikely]] {
    release_biased(object);
    return;
  }
  if constexpr (dies_by_list<T>()) {
    Type& type = object.type();
    if (TypeAccess::deaths_left(type) < 0) [[unlikely]] {
      die_nesting_out_of_line<T>(object);
      return;
    }
    die_by_list<T>(object, type);
  } else if constexpr (death_nests<T>) {
    die_nesting<T>(object);
  } else {
    Type& type = object.type();
    if (TypeAccess::deaths_left(type) < 0) [[unlikely]] {
      if (!may_die(object)) {
        return;
      }
    }
    destroy_of(static_cast<T&>(object));
    free_block_of<T>(type, &object);
  }
}

template <typename T>
[[gnu::always_inline]] inline void release_last_of(T& object) noexcept {
  deallocate_of<T>(object);
}

}  // namespace tarn::detail
