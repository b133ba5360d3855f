#include "base/assert.h"

namespace tarn::base {

void assertion_failed(const char* expression, const char* invariant, const char* file, int line,
                      std::uint64_t left, std::uint64_t right) noexcept {
  Message message;
  message.text("tarn: broken invariant: ").text(invariant).text("\n  ");
  message.text(expression).text(" does not hold: left ").number(left);
  message.text(" (").address(reinterpret_cast<const void*>(left)).text("), right ").number(right);
  message.text(" (").address(reinterpret_cast<const void*>(right)).text(")\n  at ");
  message.text(file).text(":").number(static_cast<std::uint64_t>(line)).text("\n");
  fail(message);
}

}  // namespace tarn::base
