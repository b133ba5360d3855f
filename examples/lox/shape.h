// Shapes (V8 calls them hidden classes): which fields an instance has, and in which order they came.
//
//   class Point { init(x, y) { this.x = x; this.y = y; } }
//
//   {} ──x──► {x} ──y──► {x, y}        the tree of shapes of one class, owned by the class
//
// Instances whose fields came in the same order share a shape, so that code which has seen the shape once knows
// where the field is. It remembers the shape's id, and not its address, as ids are never used twice.
//
// S1. A shape's id is uncached_id (and no code remembers it) or no other shape's.
// S2. A class whose shapes become too many, or an instance with too many fields, goes on with a shape that is the
//     instance's own (`is_private`), changes as fields come, and has no id.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include <tarn/object.h>

namespace lox {

class Class;
class String;

inline constexpr std::uint32_t empty_cache_id = 0;
inline constexpr std::uint32_t uncached_id = 1;

class Shape {
 public:
  // Where ids come from. When they are used up, what is new isn't remembered.
  class Ids {
   public:
    std::uint32_t next() { return next_ == 0 ? uncached_id : next_++; }

   private:
    std::uint32_t next_ = uncached_id + 1;
  };

  static constexpr std::size_t fields_max = 128;   // of a shape that is shared
  static constexpr std::size_t shapes_max = 1024;  // of one class

  Shape(Class& owner, Ids& ids);
  ~Shape();
  Shape(const Shape&) = delete;
  Shape& operator=(const Shape&) = delete;

  std::uint32_t id() const { return id_; }
  bool is_private() const { return is_private_; }
  Class& owner() const { return *owner_; }
  tarn::Object* const* owner_address() const { return &owner_object_; }
  std::size_t field_count() const { return names_.size(); }
  // -1: there's no such field. Linear in the number of fields: code that runs often remembers the answer.
  int find(const String& name) const;

  // The shape with one more field. A private one is this, changed, or new and then the caller's.
  Shape& with(const String& name);

 private:
  Shape(const Shape& parent, const String& name, bool is_private);

  std::uint32_t id_;
  bool is_private_ = false;
  Class* owner_;
  tarn::Object* owner_object_;
  Ids* ids_;
  std::size_t* shape_count_;  // the root's
  std::size_t own_shape_count_ = 1;
  std::vector<tarn::Ref<String>> own_names_;  // keeps alive those that parents don't
  std::vector<const String*> names_;
  std::vector<std::unique_ptr<Shape>> children_;
};

// An instance's shape, and with it one count of the class that owns the shape.
class ShapeRef {
 public:
  explicit ShapeRef(tarn::Ref<Class> owner);
  ~ShapeRef() { clear(); }
  ShapeRef(const ShapeRef&) = delete;
  ShapeRef& operator=(const ShapeRef&) = delete;

  Shape& operator*() const { return *shape_; }
  Shape* operator->() const { return shape_; }
  Shape* get() const { return shape_; }
  // A shape of the same class.
  void move_to(Shape& shape) { shape_ = &shape; }
  void clear() noexcept;

 private:
  Shape* shape_;  // null: cleared
};

}  // namespace lox

template <>
struct tarn::Traced<lox::ShapeRef> {
  static void traverse(const lox::ShapeRef& shape, Visitor& visitor) {
    if (shape.get() != nullptr) {
      visitor(shape->owner_address(), 1);
    }
  }
  // The fields go with it: nobody reads an instance that was cleared.
  static void clear(lox::ShapeRef& shape) noexcept { shape.clear(); }
  template <typename Each>
  static void each_member(const lox::ShapeRef&, Each) {}
};
