// A dict's keys, values and items, seen as they are at the moment: views that hold the dict. Those of keys and of items
// compare as sets do, also with sets, and with |, &, - and ^ they make sets.
#pragma once

#include <cstddef>
#include <string>

#include <tarn/builtins/dict.h>
#include <tarn/builtins/set.h>

namespace tarn {

class DictView : public Object {
 public:
  static constexpr const char* type_name = "dict view";

  [[nodiscard]] std::size_t size() const noexcept { return dict_ ? dict_->size() : 0; }
  [[nodiscard]] DictPart part() const noexcept { return part_; }
  // Null only while the collector clears it.
  [[nodiscard]] Ref<Dict> dict() const noexcept { return dict_; }
  // Keys and pairs are looked up, values gone through. TypeError: a key can't be hashed.
  [[nodiscard]] bool contains(const Object& item) const;
  [[nodiscard]] Ref<Object> iterate() const;
  [[nodiscard]] std::string repr() const;

 protected:
  DictView(Ref<Dict> dict, DictPart part) noexcept : part_(part), dict_(std::move(dict)) {}

  [[nodiscard]] Comparison compare_as_set(const Object& other, CompareOperator comparison) const;

 private:
  DictPart part_;
  Member<Dict> dict_;

 public:
  static constexpr auto members = tarn::members(&DictView::dict_);
};

class DictKeys final : public DictView {
 public:
  using Base = DictView;
  static constexpr const char* type_name = "dict_keys";

  explicit DictKeys(Ref<Dict> dict) noexcept : DictView(std::move(dict), DictPart::keys) {}
  [[nodiscard]] std::size_t hash() const;  // TypeError
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const {
    return compare_as_set(other, comparison);
  }
};

class DictValues final : public DictView {
 public:
  using Base = DictView;
  static constexpr const char* type_name = "dict_values";

  explicit DictValues(Ref<Dict> dict) noexcept : DictView(std::move(dict), DictPart::values) {}
};

class DictItems final : public DictView {
 public:
  using Base = DictView;
  static constexpr const char* type_name = "dict_items";

  explicit DictItems(Ref<Dict> dict) noexcept : DictView(std::move(dict), DictPart::items) {}
  [[nodiscard]] std::size_t hash() const;  // TypeError
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const {
    return compare_as_set(other, comparison);
  }
};

}  // namespace tarn
