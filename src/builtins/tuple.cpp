#include <bit>

#include "builtins/iterators.h"
#include "builtins/sequences.h"
#include "builtins/support.h"

namespace tarn {

using builtins::own;

Ref<Object> Tuple::at(Index index) const {
  return items()[detail::checked_index(index, size(), "tuple index")];
}

namespace {

// Its items are put in before anybody sees it; none are made meanwhile.
template <typename Fill>
Ref<Tuple> made(const Tuple& of, std::size_t size, Fill fill) {
  Builtins& all = Builtins::of(of);
  if (size == 0) {
    return all.tuple();
  }
  Ref<Tuple> result = all.heap().make_sized<Tuple>(size);
  fill(result->items());
  return result;
}

}  // namespace

Ref<Tuple> Tuple::slice(const Slice& slice) const {
  const Slice::Range range = slice.of(size());
  if (range.count == size() && range.step == 1) {
    return own(*this);
  }
  return made(*this, range.count, [&](std::span<Member<Object>> to) {
    Index index = range.start;
    for (Member<Object>& item : to) {
      item = items()[static_cast<std::size_t>(index)];
      index += range.step;
    }
  });
}

Ref<Tuple> Tuple::join(const Tuple& other) const {
  if (other.size() == 0) {
    return own(*this);
  }
  if (size() == 0) {
    return own(other);
  }
  return made(*this, size() + other.size(), [&](std::span<Member<Object>> to) {
    const auto middle = std::copy(items().begin(), items().end(), to.begin());
    std::copy(other.items().begin(), other.items().end(), middle);
  });
}

Ref<Tuple> Tuple::repeat(Index times) const {
  const std::size_t count = builtins::repeated_size(size(), times, sizeof(Member<Object>));
  if (count == size()) {
    return own(*this);
  }
  return made(*this, count, [&](std::span<Member<Object>> to) {
    for (std::size_t i = 0; i < count; ++i) {
      to[i] = items()[i % size()];
    }
  });
}

std::string Tuple::repr() const {
  if (size() == 0) {
    return "()";
  }
  return builtins::repr_of_sequence(*this, "(", size() == 1 ? ",)" : ")", "(...)");
}

// CPython's, since 3.8: xxHash's rounds (Collet) over the items' hashes.
std::size_t Tuple::hash() const {
  constexpr std::uint64_t prime1 = 11400714785074694791U;
  constexpr std::uint64_t prime2 = 14029467366897019727U;
  constexpr std::uint64_t prime5 = 2870177450012600261U;
  const builtins::RecursionGuard depth("");
  std::uint64_t all = prime5;
  for (const Member<Object>& item : items()) {
    all += (item ? tarn::hash(*item) : 0) * prime2;
    all = std::rotl(all, 31) * prime1;
  }
  all += size() ^ (prime5 ^ 3527539U);
  return all == SIZE_MAX ? 1546275796 : all;
}

Comparison Tuple::compare(const Object& other, CompareOperator comparison) const {
  if (!is<Tuple>(other)) {
    return Comparison::not_implemented;
  }
  return builtins::compare_sequences(*this, static_cast<const Tuple&>(other), comparison);
}

Ref<Object> Tuple::iterate() { return type().heap().make<SequenceIterator<Tuple>>(own(*this)); }

}  // namespace tarn
