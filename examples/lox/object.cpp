#include "object.h"

#include <algorithm>

#include "string_table.h"

namespace lox {

void String::forget() { table_->forget(*this); }

int Function::line_at(const std::uint8_t* address) const {
  const auto offset = static_cast<std::uint32_t>(address - code.data());
  const auto after =
      std::upper_bound(lines.begin(), lines.end(), offset,
                       [](std::uint32_t at, const LineRun& run) { return at < run.offset; });
  return after == lines.begin() ? 0 : static_cast<int>((after - 1)->line);
}

Class::Class(tarn::Ref<String> class_name, std::uint32_t class_id, Shape::Ids& ids,
             std::size_t fields)
    : name(std::move(class_name)),
      id(class_id),
      capacity_(std::min(fields, capacity_max)),
      ids_(ids) {
  shapes_.push_back(std::make_unique<Shape>(*this, ids));
}

void Class::learn_fields(std::size_t count) {
  if (count <= capacity_ || capacity_ == capacity_max) {
    return;
  }
  shapes_.push_back(std::make_unique<Shape>(*this, ids_));
  capacity_ = std::min(count + count / 2, capacity_max);
}

void Class::inherit(Class& base) {
  superclass = tarn::Ref<Class>(tarn::share, &base);
  methods = base.methods;
  initializer = base.initializer;
  capacity_ = std::min(capacity_ + base.capacity_, capacity_max);
}

Field& Instance::field(std::size_t index) {
  return index < size() ? items()[index] : (*more)[index - size()];
}

Field* Instance::find(const String& name) {
  const int index = shape->find(name);
  return index < 0 ? nullptr : &field(static_cast<std::size_t>(index));
}

void Instance::add(const String& name, Value owned) {
  const std::size_t index = shape->field_count();
  if (index >= size()) {
    if (more == nullptr) {
      more = std::make_unique<std::vector<Field>>();
      owner().learn_fields(index + 1);
    }
    more->emplace_back();
  }
  shape.move_to(shape->with(name));
  field(index).begin(owned);
}

}  // namespace lox
