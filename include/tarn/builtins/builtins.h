// Builtins: Python's built-in types for a heap, and the objects of theirs that exist once.
//
//   tarn::ObjectHeap heap;
//   tarn::Builtins builtins(heap);
//   tarn::Ref<tarn::List> list = builtins.list({builtins.integer(1), builtins.string("two")});
//   tarn::repr(*list)                                          "[1, 'two']"
//
// None, True, False, the ints from -5 to 256, the empty tuple, str and bytes and those of one byte or one code point up to
// 255 are made with it and immortal. Everything else comes from the heap's pools and goes back there with its last
// reference.
//
// Thread rules: the heap's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>

#include <tarn/builtins/bytes.h>
#include <tarn/builtins/dict.h>
#include <tarn/builtins/dict_views.h>
#include <tarn/builtins/float.h>
#include <tarn/builtins/instance.h>
#include <tarn/builtins/int.h>
#include <tarn/builtins/list.h>
#include <tarn/builtins/set.h>
#include <tarn/builtins/str.h>
#include <tarn/builtins/tuple.h>

namespace tarn {

struct BuiltinsOptions {
  // Of the hashes of str and bytes. Without one it's random, so that nobody outside can choose keys that collide; with one,
  // hashes are those of a CPython with the same PYTHONHASHSEED.
  std::optional<std::uint32_t> hash_seed = std::nullopt;
};

class Builtins {
 public:
  static constexpr std::int64_t least_small_int = -5;
  static constexpr std::int64_t most_small_int = 256;

  // One for a heap, which outlives it; std::logic_error when there is one. std::bad_alloc leaves the heap whole.
  explicit Builtins(ObjectHeap& heap, const BuiltinsOptions& options = {});
  // Objects may be left; no new ones are made, but by a new Builtins, whose None is another.
  ~Builtins();
  Builtins(const Builtins&) = delete;
  Builtins& operator=(const Builtins&) = delete;

  // The heap's. std::logic_error when it has none.
  [[nodiscard]] static Builtins& of(ObjectHeap& heap);
  [[nodiscard]] static Builtins& of(const Object& object) { return of(object.type().heap()); }

  [[nodiscard]] ObjectHeap& heap() const noexcept { return heap_; }

  [[nodiscard]] const Ref<NoneType>& none() const noexcept { return none_; }
  [[nodiscard]] const Ref<Bool>& boolean(bool value) const noexcept {
    return booleans_[value ? 1 : 0];
  }
  [[nodiscard]] Ref<Int> integer(std::int64_t value) {
    const auto place =
        static_cast<std::uint64_t>(value) - static_cast<std::uint64_t>(least_small_int);
    return place < small_ints_.size() ? small_ints_[place] : heap_.make_sized<Int>(0, value);
  }
  [[nodiscard]] Ref<Float> floating(double value) { return heap_.make<Float>(value); }
  // UTF-8; ValueError says where it isn't.
  [[nodiscard]] Ref<Str> string(std::string_view utf8);
  // The one str with this text that is interned.
  [[nodiscard]] Ref<Str> intern(std::string_view utf8);
  [[nodiscard]] Ref<Bytes> bytes(std::string_view bytes);
  [[nodiscard]] Ref<Tuple> tuple(std::span<const Ref<Object>> items = {});
  [[nodiscard]] Ref<Tuple> tuple(std::initializer_list<Ref<Object>> items) {
    return tuple(std::span(items.begin(), items.size()));
  }
  // Of whatever can be iterated over. TypeError.
  [[nodiscard]] Ref<Tuple> tuple_of(Object& source);
  [[nodiscard]] Ref<List> list() { return heap_.make<List>(); }
  [[nodiscard]] Ref<List> list(std::span<const Ref<Object>> items);
  [[nodiscard]] Ref<List> list(std::initializer_list<Ref<Object>> items) {
    return list(std::span(items.begin(), items.size()));
  }
  [[nodiscard]] Ref<Dict> dict() { return heap_.make<Dict>(); }
  [[nodiscard]] Ref<Set> set(std::initializer_list<Ref<Object>> items = {});
  [[nodiscard]] Ref<FrozenSet> frozenset(std::span<const Ref<Object>> items = {});
  [[nodiscard]] Ref<FrozenSet> frozenset(std::initializer_list<Ref<Object>> items) {
    return frozenset(std::span(items.begin(), items.size()));
  }
  // Of whatever can be iterated over. TypeError.
  [[nodiscard]] Ref<FrozenSet> frozenset_of(Object& source);

  // A class of the program: a type derived from `base`, which is Instance's or one made here. Slots that are empty are the
  // base's. It lives as long as the heap. TypeError for another base. std::bad_alloc.
  [[nodiscard]] Type& define_class(std::string_view name, const TypeSlots& slots = {},
                                   Type* base = nullptr);
  [[nodiscard]] Ref<Instance> instance(Type& of_class) { return heap_.make_as<Instance>(of_class); }

  // The hash of these bytes, as str and bytes have it.
  [[nodiscard]] std::size_t hash_of(std::string_view bytes) const noexcept;
  [[nodiscard]] std::array<std::uint64_t, 2> hash_key() const noexcept { return hash_key_; }
  [[nodiscard]] std::size_t interned() const noexcept { return interned_.size(); }

  // For the types' own functions: UTF-8 with so many code points, as it is known to be; with as many bytes, to be
  // filled in.
  [[nodiscard]] Ref<Str> make_string(std::string_view utf8, std::size_t length);
  [[nodiscard]] Ref<Int> make_integer(bool is_negative, std::span<const Int::Limb> magnitude);

 private:
  friend class Str;

  struct HashOfText {
    using is_transparent = void;
    std::size_t operator()(const Str* string) const noexcept { return (*this)(string->utf8()); }
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  struct SameText {
    using is_transparent = void;
    static std::string_view text(const Str* string) noexcept { return string->utf8(); }
    static std::string_view text(std::string_view text) noexcept { return text; }
    template <typename Left, typename Right>
    bool operator()(Left left, Right right) const noexcept {
      return text(left) == text(right);
    }
  };

  void make_singletons();
  void set_context(void* context) const noexcept;

  ObjectHeap& heap_;
  std::array<std::uint64_t, 2> hash_key_{};
  Ref<NoneType> none_;
  std::array<Ref<Bool>, 2> booleans_;
  std::array<Ref<Int>, most_small_int - least_small_int + 1> small_ints_;
  Ref<Str> empty_string_;
  std::array<Ref<Str>, 256> characters_;
  Ref<Bytes> empty_bytes_;
  std::array<Ref<Bytes>, 256> single_bytes_;
  Ref<Tuple> empty_tuple_;
  std::unordered_set<Str*, HashOfText, SameText> interned_;  // owns none of them
};

}  // namespace tarn
