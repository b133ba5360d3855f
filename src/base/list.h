// A doubly linked list through its elements' own `next` and `previous` members.
//
//   first ──► a ◄──► b ◄──► c      a.previous and c.next are null
//
// The list owns nothing and allocates nothing. All but verify() are constant time.
#pragma once

#include "base/assert.h"

namespace tarn::base {

template <typename Element>
class List {
 public:
  [[nodiscard]] Element* first() const noexcept { return first_; }
  [[nodiscard]] bool is_empty() const noexcept { return first_ == nullptr; }

  void push_front(Element& element) noexcept {
    element.previous = nullptr;
    element.next = first_;
    if (first_ != nullptr) {
      first_->previous = &element;
    }
    first_ = &element;
  }

  // `position` is in the list.
  void insert_after(Element& position, Element& element) noexcept {
    element.previous = &position;
    element.next = position.next;
    if (position.next != nullptr) {
      position.next->previous = &element;
    }
    position.next = &element;
  }

  void remove(Element& element) noexcept {
    if (element.previous != nullptr) {
      element.previous->next = element.next;
    } else {
      TARN_DEBUG_CHECK(first_, ==, &element, "an element without a predecessor is the first");
      first_ = element.next;
    }
    if (element.next != nullptr) {
      element.next->previous = element.previous;
    }
    element.next = nullptr;
    element.previous = nullptr;
  }

  void verify() const noexcept {
    const Element* before = nullptr;
    for (const Element* element = first_; element != nullptr; element = element->next) {
      TARN_CHECK(element->previous, ==, before, "a list's links agree in both directions");
      before = element;
    }
  }

 private:
  Element* first_ = nullptr;
};

}  // namespace tarn::base
