#include "shape.h"

#include <algorithm>

#include "object.h"

namespace lox {

Shape::Shape(Class& owner, Ids& ids)
    : id_(ids.next()),
      owner_(&owner),
      owner_object_(&owner),
      ids_(&ids),
      shape_count_(&own_shape_count_) {}

Shape::Shape(const Shape& parent, const String& name, bool is_private)
    : id_(is_private ? uncached_id : parent.ids_->next()),
      is_private_(is_private),
      owner_(parent.owner_),
      owner_object_(parent.owner_object_),
      ids_(parent.ids_),
      shape_count_(parent.shape_count_),
      names_(parent.names_) {
  own_names_.emplace_back(tarn::share, const_cast<String*>(&name));
  names_.push_back(&name);
}

Shape::~Shape() = default;

int Shape::find(const String& name) const {
  const auto found = std::find(names_.begin(), names_.end(), &name);
  return found == names_.end() ? -1 : static_cast<int>(found - names_.begin());
}

Shape& Shape::with(const String& name) {
  if (is_private_) {
    own_names_.emplace_back(tarn::share, const_cast<String*>(&name));
    names_.push_back(&name);
    return *this;
  }
  for (const auto& child : children_) {
    if (child->names_.back() == &name) {
      return *child;
    }
  }
  if (names_.size() >= fields_max || *shape_count_ >= shapes_max) {
    return *new Shape(*this, name, true);
  }
  ++*shape_count_;
  children_.push_back(std::unique_ptr<Shape>(new Shape(*this, name, false)));
  return *children_.back();
}

}  // namespace lox
