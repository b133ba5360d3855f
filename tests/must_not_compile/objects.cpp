// What must not compile. Behind each mistake stands what the compiler has to say of it.

#include <tarn/object.h>

struct Leaf : tarn::Object {
  int value = 0;
  void function() {}
};
struct Text final : tarn::Sized<Text, char> {};

void right(tarn::ObjectHeap& heap) {
  tarn::Ref<Leaf> leaf = heap.make<Leaf>();
  tarn::Ref<tarn::Object> object = leaf;
  tarn::Borrowed<Leaf> borrowed = leaf;
  leaf = tarn::Ref<Leaf>(borrowed);
  static_cast<void>(heap.make_sized<Text>(3));
}

// Each answer stays on its mistake's line.
// clang-format off
#ifdef WITH_MISTAKES
void downcast(const tarn::Ref<tarn::Object>& object) {
  tarn::Ref<Leaf> leaf =
      object;  // refused: conversion from .*Ref<tarn::Object>.* to non-scalar type .*Ref<Leaf>
}

void copy(const Leaf& leaf) {
  Leaf other = leaf;  // refused: use of deleted function .*Leaf::Leaf\(const Leaf&\)
}

void assign(Leaf& leaf, const Leaf& other) {
  leaf = other;  // refused: use of deleted function .*Leaf& Leaf::operator=\(const Leaf&\)
}

struct Slice : tarn::Object {
  explicit Slice(const Leaf& leaf)
      : tarn::Object(leaf) {}  // refused: use of deleted function .*tarn::Object::Object\(const tarn::Object&\)
};

void make_elsewhere() {
  new Leaf();  // refused: use of deleted function .*tarn::Object::operator new
}

void destroy(const tarn::Ref<Leaf>& leaf) {
  delete leaf.get();  // refused: use of deleted function .*tarn::Object::operator delete
}

void own_without_saying_how(Leaf* leaf) {
  tarn::Ref<Leaf> owned =
      leaf;  // refused: conversion from .*Leaf\*.* to non-scalar type .*Ref<Leaf>
}

void own_what_is_borrowed(tarn::Borrowed<Leaf> leaf) {
  tarn::Ref<Leaf> owned =
      leaf;  // refused: conversion from .*Borrowed<Leaf>.* to non-scalar type .*Ref<Leaf>
}

struct Virtual : tarn::Object {
  virtual void show() {}
};
void make_virtual(tarn::ObjectHeap& heap) {
  static_cast<void>(
      heap.make<
          Virtual>());  // refused: objects have no virtual functions: their Type has slots instead
}

struct Listed : tarn::Object {
  int number = 0;
  static constexpr auto members = tarn::members(&Listed::number);
};
void list_a_number(tarn::ObjectHeap& heap) {
  static_cast<void>(heap.make<Listed>());  // refused: incomplete type .*tarn::Traced<int>
}

void list_a_function() {
  static_cast<void>(
      tarn::members(&Leaf::function));  // refused: no matching function for call to .*members
}

struct Plain {};
void type_of_no_object(tarn::ObjectHeap& heap) {
  static_cast<void>(heap.type<Plain>());  // refused: an object's struct derives from tarn::Object
}

void forget_the_size(tarn::ObjectHeap& heap) {
  static_cast<void>(heap.make<Text>());  // refused: objects with items are made by make_sized
}

struct OpenText : tarn::Sized<OpenText, char> {};
struct LongerText : OpenText {
  long number = 0;
};
void add_data_to_items(tarn::ObjectHeap& heap) {
  static_cast<void>(heap.make_sized<LongerText>(3));  // refused: derives from a type with items adds no data
}

void invent_a_size(tarn::ObjectHeap& heap) {
  static_cast<void>(heap.make_sized<Leaf>(3));  // refused: objects without items are made by make
}
#endif
// clang-format on
