#include <tarn/builtins/builtins.h>

#include <random>
#include <stdexcept>

#include "builtins/iterators.h"
#include "builtins/shared_keys.h"

namespace tarn {

namespace {

// What CPython makes of PYTHONHASHSEED: a linear congruential generator's bytes; of 0, zeros.
std::array<std::uint64_t, 2> key_of_seed(std::uint32_t seed) noexcept {
  std::array<std::uint64_t, 2> key{};
  std::uint32_t state = seed;
  for (std::size_t i = 0; seed != 0 && i < 16; ++i) {
    state = state * 214013 + 2531011;
    key[i / 8] |= std::uint64_t{state >> 16 & 0xFF} << (8 * (i % 8));
  }
  return key;
}

std::array<std::uint64_t, 2> random_key() {
  std::random_device device;
  const auto word = [&] { return std::uint64_t{device()} << 32 | device(); };
  return {word(), word()};
}

}  // namespace

Builtins::Builtins(ObjectHeap& heap, const BuiltinsOptions& options) : heap_(heap) {
  if (heap.type<Str>().context() != nullptr) {
    throw std::logic_error("tarn: this heap has its Builtins already; take them by Builtins::of");
  }
  hash_key_ = options.hash_seed ? key_of_seed(*options.hash_seed) : random_key();
  make_singletons();
  set_context(this);
}

// What may fail comes first: when it does, all that was made dies.
void Builtins::make_singletons() {
  none_ = heap_.make<NoneType>();
  for (std::size_t i = 0; i < booleans_.size(); ++i) {
    booleans_[i] = heap_.make_sized<Bool>(0, i != 0);
  }
  for (std::size_t i = 0; i < small_ints_.size(); ++i) {
    small_ints_[i] = heap_.make_sized<Int>(0, static_cast<std::int64_t>(i) + least_small_int);
  }
  empty_string_ = heap_.make_sized<Str>(0, 0U);
  for (std::size_t i = 0; i < characters_.size(); ++i) {
    const bool is_ascii = i < 0x80;
    characters_[i] = heap_.make_sized<Str>(is_ascii ? 1 : 2, 1U);
    const auto items = characters_[i]->items();
    items[0] = static_cast<char>(is_ascii ? i : 0xC0 | i >> 6);
    if (!is_ascii) {
      items[1] = static_cast<char>(0x80 | (i & 0x3F));
    }
  }
  empty_bytes_ = heap_.make_sized<Bytes>(0);
  for (std::size_t i = 0; i < single_bytes_.size(); ++i) {
    single_bytes_[i] = heap_.make_sized<Bytes>(1);
    single_bytes_[i]->items()[0] = static_cast<char>(i);
  }
  empty_tuple_ = heap_.make_sized<Tuple>(0);
  // The types of the others, so that making an object is all that can fail later on.
  (void)heap_.type<Float>();
  (void)heap_.type<List>();
  (void)heap_.type<Dict>();
  (void)heap_.type<Set>();
  (void)heap_.type<FrozenSet>();
  (void)heap_.type<Instance>();

  immortalize(none_);
  immortalize(empty_string_);
  immortalize(empty_bytes_);
  immortalize(empty_tuple_);
  for (const Ref<Bool>& boolean : booleans_) {
    immortalize(boolean);
  }
  for (const Ref<Int>& small : small_ints_) {
    immortalize(small);
  }
  for (const Ref<Str>& character : characters_) {
    immortalize(character);
  }
  for (const Ref<Bytes>& single : single_bytes_) {
    immortalize(single);
  }
}

// Types' functions find the Builtins by the type of str, and strs by their own.
void Builtins::set_context(void* context) const noexcept {
  empty_string_->type().set_context(context);
}

Builtins::~Builtins() {
  for (Str* const string : interned_) {
    string->is_interned_ = false;  // nothing is left to be told when it dies
  }
  set_context(nullptr);
}

Builtins& Builtins::of(ObjectHeap& heap) {
  void* const all = heap.type<Str>().context();
  if (all == nullptr) {
    throw std::logic_error("tarn: this heap has no built-in types; make a tarn::Builtins for it");
  }
  return *static_cast<Builtins*>(all);
}

Ref<Tuple> Builtins::tuple(std::span<const Ref<Object>> items) {
  if (items.empty()) {
    return empty_tuple_;
  }
  Ref<Tuple> result = heap_.make_sized<Tuple>(items.size());
  std::copy(items.begin(), items.end(), result->items().begin());
  return result;
}

Ref<Tuple> Builtins::tuple_of(Object& source) {
  if (is<Tuple>(source)) {
    return Ref<Tuple>(share, static_cast<Tuple*>(&source));
  }
  std::vector<Ref<Object>> items;
  for (const Ref<Object>& item : each(source)) {
    items.push_back(item);
  }
  return tuple(items);
}

Ref<List> Builtins::list(std::span<const Ref<Object>> items) {
  Ref<List> result = heap_.make<List>();
  if (!items.empty()) {
    Ref<detail::Items> room = heap_.make_with_room<detail::Items>(items.size());
    for (const Ref<Object>& item : items) {
      (void)room->push(item);
    }
    result->items_ = std::move(room);
  }
  return result;
}

Ref<Set> Builtins::set(std::initializer_list<Ref<Object>> items) {
  Ref<Set> result = heap_.make<Set>();
  for (const Ref<Object>& item : items) {
    (void)result->add(item);
  }
  return result;
}

Ref<FrozenSet> Builtins::frozenset(std::span<const Ref<Object>> items) {
  Ref<FrozenSet> result = heap_.make<FrozenSet>();
  for (const Ref<Object>& item : items) {
    (void)result->add_item(item);
  }
  return result;
}

Ref<FrozenSet> Builtins::frozenset_of(Object& source) {
  if (is_exactly<FrozenSet>(source)) {
    return Ref<FrozenSet>(share, static_cast<FrozenSet*>(&source));
  }
  Ref<FrozenSet> result = heap_.make<FrozenSet>();
  result->add_all(source);
  return result;
}

Type& Builtins::define_class(std::string_view name, const TypeSlots& slots, Type* base) {
  if (base != nullptr &&
      (!base->is_subtype_of(heap_.type<Instance>()) || base->basic_size() != sizeof(Instance))) {
    throw TypeError(std::string("type '") + base->name() + "' is not an acceptable base type");
  }
  if (name.find('\0') != std::string_view::npos) {
    throw ValueError("type name must not contain null characters");
  }
  (void)string(name);  // ValueError when it's no UTF-8
  // The name lives as long as the heap.
  Ref<Str> kept = heap_.make_sized<Str>(name.size() + 1, name.size() + 1);
  *std::copy(name.begin(), name.end(), kept->items().begin()) = '\0';
  const Ref<builtins::ClassKeys> keys = heap_.make<builtins::ClassKeys>();  // as long, too
  TypeSpec spec;
  spec.name = kept->items().data();
  spec.companion = keys.get();
  spec.base = base != nullptr ? base : &heap_.type<Instance>();
  spec.basic_size = sizeof(Instance);
  spec.slots = slots;
  Type& made = heap_.make_type(spec);
  immortalize(kept);
  immortalize(keys);
  return made;
}

}  // namespace tarn
