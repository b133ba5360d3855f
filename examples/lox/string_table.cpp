#include "string_table.h"

#include <algorithm>

namespace lox {

tarn::Ref<String> StringTable::intern(std::string_view text) {
  const auto found = strings_.find(text);
  if (found != strings_.end()) {
    return tarn::Ref<String>(tarn::share, *found);
  }
  tarn::Ref<String> string = heap_.make_sized<String>(text.size());
  std::copy(text.begin(), text.end(), string->items().begin());
  strings_.insert(string.get());
  string->table_ = this;
  return string;
}

}  // namespace lox
