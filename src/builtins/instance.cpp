#include <algorithm>

#include <tarn/builtins/builtins.h>

#include "base/assert.h"
#include "builtins/shared_keys.h"
#include "builtins/support.h"

namespace tarn {

using builtins::ClassKeys;
using builtins::SharedKeys;

namespace {

struct Values final : Growing<Values, Member<Object>> {
  static constexpr const char* type_name = "attribute values";
};

[[noreturn]] void no_attribute(const Instance& instance, const Str& name) {
  throw AttributeError(builtins::quoted_type(instance) + " object has no attribute '" +
                       std::string(name.utf8()) + "'");
}

// What the two members are while keys are shared.
[[nodiscard]] SharedKeys& keys_of(const Member<Object>& keys) noexcept {
  return static_cast<SharedKeys&>(*keys);
}
[[nodiscard]] Values* values_of(const Member<Object>& more) noexcept {
  return static_cast<Values*>(more.get());
}

}  // namespace

std::size_t Instance::count() const noexcept {
  if (const Values* const more = values_of(more_); more != nullptr && more->size() != 0) {
    return values_inside + more->size();
  }
  std::size_t count = 0;
  while (count < values_inside && values_[count]) {
    ++count;
  }
  return count;
}

Member<Object>& Instance::value(std::size_t index) noexcept {
  return index < values_inside ? values_[index] : values_of(more_)->items()[index - values_inside];
}

Ref<Object> Instance::find_attribute(const Str& name) const {
  if (keys_) [[likely]] {
    const std::size_t index = keys_of(keys_).find(name);
    if (index < values_inside) {
      return values_[index];
    }
    const Values* const more = values_of(more_);
    return more != nullptr && index - values_inside < more->size()
               ? Ref<Object>(more->items()[index - values_inside])
               : nullptr;
  }
  return more_ ? dict().get(name) : nullptr;
}

Ref<Object> Instance::attribute(const Str& name) const {
  Ref<Object> value = find_attribute(name);
  if (!value) {
    no_attribute(*this, name);
  }
  return value;
}

void Instance::set_attribute(const Str& name, Ref<Object> value) {
  TARN_DEBUG_CHECK(value.get(), !=, nullptr, "A1: an attribute has a value");
  if (!keys_ && !more_) {
    if (const ClassKeys* const of_class = ClassKeys::of(type())) {
      keys_ = of_class->usual();
    }
  }
  if (keys_) [[likely]] {
    // One that is there, or the next one of the table's names: then it's the table's that is interned.
    const std::size_t index = keys_of(keys_).find(name);
    if (index < values_inside) {
      if (values_[index] || index == 0 || values_[index - 1]) {
        values_[index] = std::move(value);  // the old one dies last
        return;
      }
    } else if (Values* const more = values_of(more_)) {
      const std::size_t place = index - values_inside;  // of SharedKeys::none: beyond all
      if (place < more->size()) {
        more->items()[place] = std::move(value);
        return;
      }
      if (place == more->size() && place < more->room()) {
        more->push(std::move(value));
        return;
      }
    }
  }
  add_attribute(name.is_interned() ? builtins::own(name) : Builtins::of(*this).intern(name.utf8()),
                std::move(value));
}

// Whatever makes an object may run code of the program's, and the instance is looked at anew.
void Instance::add_attribute(const Ref<Str>& name, Ref<Object> value) {
  for (;;) {
    if (has_dict()) {
      const Ref<Dict> own = attributes();
      own->set(name, std::move(value));
      return;
    }
    const std::size_t has = count();
    const std::size_t index = keys_ ? keys_of(keys_).find(*name) : SharedKeys::none;
    if (index < has) {
      this->value(index) = std::move(value);
      return;
    }
    if (index != has || !keys_) {
      if (!change_keys(name)) {
        (void)attributes();
      }
    } else if (has < values_inside) {
      values_[has] = std::move(value);
      return;
    } else if (Values* const more = values_of(more_);
               more != nullptr && more->size() < more->room()) {
      more->push(std::move(value));
      return;
    } else {
      grow_to(has + 1);
    }
  }
}

bool Instance::change_keys(const Ref<Str>& name) {
  ClassKeys* const of_class = ClassKeys::of(type());
  if (of_class == nullptr) {
    return false;
  }
  const Ref<SharedKeys> old(share, static_cast<SharedKeys*>(keys_.get()));
  const std::size_t has = count();
  Ref<SharedKeys> keys = of_class->with(old, has, name);
  if (keys && !has_dict() && keys_.get() == old.get() && count() == has) {
    keys_ = std::move(keys);
    return true;
  }
  return static_cast<bool>(keys);  // otherwise the instance has changed, and is looked at anew
}

// As much room as the class's other instances needed, but no more than twice what is needed now.
void Instance::grow_to(std::size_t size) {
  const std::size_t wanted = size - values_inside;
  const std::size_t known = keys_of(keys_).size() - values_inside;
  Ref<Values> room = type().heap().make_with_room<Values>(
      std::max(wanted, std::min(known, std::max(2 * wanted, values_inside))));
  const std::size_t has = keys_ ? count() : 0;
  if (has < values_inside || has - values_inside >= room->room()) {
    return;
  }
  if (more_) {
    room->take_items(*values_of(more_));
  }
  more_ = std::move(room);
}

void Instance::delete_attribute(const Str& name) {
  if (!find_attribute(name)) {
    no_attribute(*this, name);
  }
  if (keys_) {
    const std::size_t last = count() - 1;
    if (keys_of(keys_).find(name) == last) {
      const Ref<Object> old = value(last).take();  // dies when the instance is whole
      if (last >= values_inside) {
        values_of(more_)->drop(1);
      }
      return;
    }
  }
  const Ref<Dict> own = attributes();
  if (!own->contains(name)) {
    no_attribute(*this, name);  // making the dict has run code that did the same
  }
  own->erase(name);
}

Ref<Dict> Instance::attributes() {
  while (!has_dict()) {
    Ref<Dict> made = type().heap().make<Dict>();
    std::size_t has = keys_ ? count() : 0;
    if (has != 0) {
      made->grow_to(has);  // may run code of the program's
    }
    if (has_dict() || (keys_ ? count() : 0) > has) {
      continue;
    }
    has = keys_ ? count() : 0;
    for (std::size_t i = 0; i < has; ++i) {
      Str& name = keys_of(keys_).name(i);
      if (Ref<Object> taken = value(i).take()) {  // a collector may be clearing Values
        made->append(name.hash(), builtins::own(name), made->free_slot(name.hash())).value =
            std::move(taken);
      }
    }
    if (more_) {
      values_of(more_)->drop(values_of(more_)->size());
    }
    const Ref<Object> old_keys = keys_.take();
    const Ref<Object> old_values = more_.take();
    more_ = std::move(made);
  }
  return Ref<Dict>(share, &dict());
}

void Instance::clear_members() noexcept {
  const Ref<Object> keys = keys_.take();
  const Ref<Object> more = more_.take();
  std::array<Ref<Object>, values_inside> values;
  std::transform(values_.begin(), values_.end(), values.begin(),
                 [](Member<Object>& value) { return value.take(); });
}

void Instance::verify() const {
  if (const ClassKeys* const of_class = ClassKeys::of(type())) {
    of_class->verify();
    TARN_CHECK(!keys_ || of_class->has(keys_of(keys_)), ==, true,
               "an instance's keys are its class's");
  }
  if (!keys_) {
    for (const Member<Object>& value : values_) {
      TARN_CHECK(value.get(), ==, nullptr, "A3: without shared keys there are no values");
    }
    if (more_) {
      TARN_CHECK(is_exactly<Dict>(*more_), ==, true, "an instance that shares no keys has a dict");
      dict().verify();
    }
    return;
  }
  TARN_CHECK(is_exactly<SharedKeys>(*keys_), ==, true, "keys are shared keys");
  TARN_CHECK(!more_ || is_exactly<Values>(*more_), ==, true,
             "an instance that shares keys has no dict");
  const std::size_t has = count();
  TARN_CHECK(has, <=, keys_of(keys_).size(), "A1: each value has a name");
  for (std::size_t i = 0; i < values_inside; ++i) {
    TARN_CHECK(values_[i].get() != nullptr, ==, i < has, "A1: the first values are there");
  }
  for (std::size_t i = values_inside; i < has; ++i) {
    TARN_CHECK(values_of(more_)->items()[i - values_inside].get(), !=, nullptr,
               "A1: each name has a value");
  }
}

}  // namespace tarn
