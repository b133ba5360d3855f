// Iterators. Each holds what it goes over, lets go of it at the end, and stays at the end from then on.
#pragma once

#include <tarn/builtins/builtins.h>

namespace tarn {

// Over what has an item at each index, as many as there are at that moment.
template <typename Sequence>
class SequenceIterator final : public Object {
 public:
  static constexpr const char* type_name = std::is_same_v<Sequence, List>    ? "list_iterator"
                                           : std::is_same_v<Sequence, Tuple> ? "tuple_iterator"
                                                                             : "bytes_iterator";

  explicit SequenceIterator(Ref<Sequence> sequence) noexcept : sequence_(std::move(sequence)) {}

  [[nodiscard]] Ref<Object> iterate() { return Ref<Object>(share, this); }
  [[nodiscard]] Ref<Object> next() {
    if (sequence_ && next_ < sequence_->size()) {
      return sequence_->at(static_cast<Index>(next_++));
    }
    sequence_ = nullptr;
    return nullptr;
  }

 private:
  Member<Sequence> sequence_;
  std::size_t next_ = 0;

 public:
  static constexpr auto members = tarn::members(&SequenceIterator::sequence_);
};

class StrIterator final : public Object {
 public:
  static constexpr const char* type_name = "str_iterator";

  explicit StrIterator(Ref<Str> string) noexcept : string_(std::move(string)) {}

  [[nodiscard]] Ref<Object> iterate() { return Ref<Object>(share, this); }
  [[nodiscard]] Ref<Object> next();

 private:
  Member<Str> string_;
  std::size_t offset_ = 0;

 public:
  static constexpr auto members = tarn::members(&StrIterator::string_);
};

class DictIterator : public Object {
 public:
  static constexpr const char* type_name = "dict_iterator";

  DictIterator(Ref<Dict> dict, DictPart part) noexcept
      : size_(dict->size()), part_(part), dict_(std::move(dict)) {}

  [[nodiscard]] Ref<Object> iterate() { return Ref<Object>(share, this); }
  [[nodiscard]] Ref<Object> next();

 private:
  std::size_t size_;
  std::size_t position_ = 0;
  std::size_t given_ = 0;
  DictPart part_;
  Member<Dict> dict_;

 public:
  static constexpr auto members = tarn::members(&DictIterator::dict_);
};

class SetIterator final : public Object {
 public:
  static constexpr const char* type_name = "set_iterator";

  explicit SetIterator(Ref<AnySet> set) noexcept : size_(set->size()), set_(std::move(set)) {}

  [[nodiscard]] Ref<Object> iterate() { return Ref<Object>(share, this); }
  [[nodiscard]] Ref<Object> next();

 private:
  std::size_t size_;
  std::size_t position_ = 0;
  Member<AnySet> set_;

 public:
  static constexpr auto members = tarn::members(&SetIterator::set_);
};

}  // namespace tarn
