// The interned strings of one machine. The table owns none of them: a string that dies takes itself out.
#pragma once

#include <string_view>
#include <unordered_set>

#include "object.h"

namespace lox {

class StringTable {
 public:
  explicit StringTable(tarn::ObjectHeap& heap) : heap_(heap) {}

  tarn::Ref<String> intern(std::string_view text);
  void forget(String& string) { strings_.erase(&string); }

 private:
  static std::string_view text_of(const String* string) { return string->text(); }
  static std::string_view text_of(std::string_view text) { return text; }
  struct Hash {
    using is_transparent = void;
    template <class T>
    std::size_t operator()(T key) const {
      return std::hash<std::string_view>()(text_of(key));
    }
  };
  struct Equal {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(A a, B b) const {
      return text_of(a) == text_of(b);
    }
  };

  tarn::ObjectHeap& heap_;
  std::unordered_set<String*, Hash, Equal> strings_;
};

}  // namespace lox
