#include <tarn/builtins/builtins.h>

#include "builtins/support.h"

namespace tarn {

namespace {
[[noreturn]] void no_attribute(const Instance& instance, const Str& name) {
  throw AttributeError(builtins::quoted_type(instance) + " object has no attribute '" +
                       std::string(name.utf8()) + "'");
}
}  // namespace

Ref<Object> Instance::find_attribute(const Str& name) const {
  return attributes_ ? attributes_->get(name) : nullptr;
}

Ref<Object> Instance::attribute(const Str& name) const {
  Ref<Object> value = find_attribute(name);
  if (!value) {
    no_attribute(*this, name);
  }
  return value;
}

void Instance::set_attribute(const Str& name, Ref<Object> value) {
  const Ref<Dict> dict = attributes();
  dict->set(name.is_interned() ? builtins::own(name) : Builtins::of(*this).intern(name.utf8()),
            std::move(value));
}

void Instance::delete_attribute(const Str& name) {
  if (!attributes_ || !attributes_->contains(name)) {
    no_attribute(*this, name);
  }
  const Ref<Dict> dict = attributes_;
  dict->erase(name);
}

Ref<Dict> Instance::attributes() {
  if (!attributes_) {
    Ref<Dict> made = type().heap().make<Dict>();
    if (!attributes_) {  // making it may have run code of the program's
      attributes_ = std::move(made);
    }
  }
  return attributes_;
}

}  // namespace tarn
