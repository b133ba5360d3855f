// Asking a process at its control socket.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "tools/cli/control_answer.h"
#include "tools/cli/target.h"

namespace tarn::cli {

// Throws Failure: it's another user's, or it doesn't live on Tarn.
void expect_on_tarn(const Target& target);

// The whole answer to a request ("release"), unchecked. Throws Failure: who can't be reached, isn't who it
// should be, or doesn't answer in time. Then nothing has happened in the target.
[[nodiscard]] std::string ask(const Target& target, const std::string& request,
                              std::size_t size_limit = answer_size_limit);

// For a request whose answer is a stream of bytes ("snapshot"): `take` gets them as they come, up to their end.
// Throws Failure as ask() does, and what `take` throws.
void ask_for_stream(const Target& target, const std::string& request,
                    const std::function<void(std::string_view bytes)>& take);

// A request on its way, for whoever has other things to wait for meanwhile. The socket is closed with it; what
// the target does for it is then dropped, if it hasn't begun.
class PendingAnswer {
 public:
  // Of a target that expect_on_tarn() found to be one; one that has just started may need some attempts, 50 ms
  // each. Throws Failure as ask() does.
  PendingAnswer(const Target& target, const std::string& request, int attempts);
  ~PendingAnswer();
  PendingAnswer(const PendingAnswer&) = delete;
  PendingAnswer& operator=(const PendingAnswer&) = delete;

  [[nodiscard]] int descriptor() const { return socket_; }  // to be polled for input
  // What has come, without waiting. Throws Failure: it broke off.
  void take();
  [[nodiscard]] AnswerStage stage() const { return stage_; }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  Target target_;
  int socket_;
  std::string text_;
  AnswerStage stage_ = AnswerStage::nothing;
};

}  // namespace tarn::cli
