// The environment that a program is started with: tarn's own, edited.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tarn::cli {

class Environment {
 public:
  [[nodiscard]] static Environment of_this_process();
  Environment() = default;

  [[nodiscard]] std::optional<std::string> get(std::string_view name) const;
  void set(std::string_view name, std::string_view value);
  void remove(std::string_view name);

  // For exec. Valid until the next change; ends with a null pointer.
  [[nodiscard]] std::vector<char*> pointers();

 private:
  std::vector<std::string> entries_;  // "NAME=value", in the order in which they came
};

}  // namespace tarn::cli
