// Runs something in a child process, so that a test can look at how it ends.
#pragma once

#include <functional>
#include <string>

namespace tarn::test {

struct ChildResult {
  bool exited = false;  // else a signal ended it
  int exit_code = 0;
  int signal = 0;
  std::string standard_error;
};

// The child is a fork of this process; it exits with 0 when `body` returns. Afterwards neither
// destructors nor handlers run in it.
[[nodiscard]] ChildResult run_in_child(const std::function<void()>& body);

// What the child wrote to standard error before it aborted; a text that says so if it didn't.
[[nodiscard]] std::string text_of_abort(const std::function<void()>& body);

// "0x7f…" as the messages print it.
[[nodiscard]] std::string address_text(const void* address);

}  // namespace tarn::test
