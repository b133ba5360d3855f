// tarn map PID --live: the page of a running process, over HTTP, for the browser on this machine.
//
// Only what comes with the address is answered: the socket is on 127.0.0.1, the path begins with a random token of
// 128 bits, and the header Host names this socket (a page elsewhere whose name was made to lead here names itself). Only
// GET; two things can be had, the page and a new snapshot; nothing is stored by a browser. A connection gets one answer.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace tarn::cli {

// What a request is answered with.
struct Answer {
  unsigned status = 200;
  std::string type = "text/html; charset=utf-8";
  std::string body;
  std::string location;  // of a redirection
};

// Who may ask, and for what.
struct Address {
  std::uint16_t port = 0;
  std::string token;

  [[nodiscard]] std::string host() const;  // 127.0.0.1:PORT
  [[nodiscard]] std::string url() const;
};

// 32 hexadecimal digits from the kernel. Throws Failure.
[[nodiscard]] std::string make_token();

// What becomes of a request's bytes: `ask` is called with what stands behind the token's slash ("", "new"), once all is
// as it should be. Nothing is answered to bytes that are no HTTP: an empty text.
[[nodiscard]] std::string answer_request(std::string_view request, const Address& address,
                                         const std::function<Answer(std::string_view)>& ask);

// Listens until a signal asks tarn to end, and returns that. `started` hears the address. At most a few connections at
// once; `ask` is called from one thread at a time. Throws Failure.
[[nodiscard]] int serve(std::uint16_t port, const std::function<void(const Address&)>& started,
                        const std::function<Answer(std::string_view)>& ask);

}  // namespace tarn::cli
