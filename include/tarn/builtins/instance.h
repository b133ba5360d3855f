// An instance of a class that a program makes at run time (Builtins::define_class): attributes by name, in a dict that is
// made for the first one.
#pragma once

#include <string>

#include <tarn/builtins/dict.h>
#include <tarn/builtins/str.h>

namespace tarn {

class Instance : public Object {
 public:
  static constexpr const char* type_name = "object";

  // Null: it has no such attribute; attribute: AttributeError.
  [[nodiscard]] Ref<Object> find_attribute(const Str& name) const;
  [[nodiscard]] Ref<Object> attribute(const Str& name) const;
  // The name is interned.
  void set_attribute(const Str& name, Ref<Object> value);
  // AttributeError.
  void delete_attribute(const Str& name);
  // What is called __dict__ in Python.
  [[nodiscard]] Ref<Dict> attributes();

 private:
  Member<Dict> attributes_;

 public:
  static constexpr auto members = tarn::members(&Instance::attributes_);
};

}  // namespace tarn
