#include "builtins/iterators.h"

#include "builtins/unicode.h"

namespace tarn {

Ref<Object> StrIterator::next() {
  if (!string_ || offset_ == string_->size()) {
    string_ = nullptr;
    return nullptr;
  }
  const std::size_t bytes = builtins::bytes_of_code_point(string_->utf8()[offset_]);
  Ref<Object> character =
      Builtins::of(*this).make_string(string_->utf8().substr(offset_, bytes), 1);
  offset_ += bytes;
  return character;
}

Ref<Object> DictIterator::next() {
  const Ref<Dict> dict = dict_;
  if (!dict) {
    return nullptr;
  }
  if (dict->size() != size_) {
    size_ = SIZE_MAX;  // and so it stays, as in CPython
    throw RuntimeError("dictionary changed size during iteration");
  }
  Ref<Object> key;
  Ref<Object> value;
  if (!dict->next_pair(position_, key, value)) {
    dict_ = nullptr;
    return nullptr;
  }
  if (given_++ == size_) {
    throw RuntimeError("dictionary keys changed during iteration");
  }
  switch (part_) {
    case DictPart::keys:
      return key;
    case DictPart::values:
      return value;
    case DictPart::items:
      return Builtins::of(*this).tuple({key, value});
  }
  return nullptr;
}

Ref<Object> SetIterator::next() {
  const Ref<AnySet> set = set_;
  if (!set) {
    return nullptr;
  }
  if (set->size() != size_) {
    size_ = SIZE_MAX;
    throw RuntimeError("Set changed size during iteration");
  }
  Ref<Object> item;
  if (!set->next_item(position_, item)) {
    set_ = nullptr;
    return nullptr;
  }
  return item;
}

}  // namespace tarn
