#include "tools/cli/map_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <mutex>
#include <sstream>
#include <thread>

#include "tools/cli/descriptor.h"
#include "tools/cli/failure.h"

namespace tarn::cli {
namespace {

namespace http = boost::beast::http;
using Clock = std::chrono::steady_clock;

constexpr std::size_t most_request_bytes = 16 * 1024;
constexpr std::size_t token_bytes = 16;
constexpr int most_connections = 8;
constexpr auto patience =
    std::chrono::seconds(5);  // with one who connects: a request is a few hundred bytes

[[noreturn]] void fail(const char* what) {
  throw Failure(exit_failure,
                fmt::format("can't serve the map: {}: {}", what, std::strerror(errno)));
}

// As long for a wrong one as for a right one, wherever it differs.
bool is_same(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < b.size(); ++i) {
    difference |=
        static_cast<unsigned char>(i < a.size() ? a[i] : 0) ^ static_cast<unsigned char>(b[i]);
  }
  return difference == 0;
}

Answer refusal(unsigned status, const char* text) {
  return {status, "text/plain; charset=utf-8", fmt::format("{}\n", text), ""};
}

std::string text_of(const Answer& answer) {
  http::response<http::string_body> response;
  response.version(11);
  response.result(answer.status);
  response.set(http::field::content_type, answer.type);
  response.set(http::field::cache_control, "no-store");
  response.set(http::field::connection, "close");
  response.set("X-Content-Type-Options", "nosniff");
  response.set("X-Frame-Options", "DENY");
  response.set("Cross-Origin-Resource-Policy", "same-origin");
  response.set("Cross-Origin-Opener-Policy", "same-origin");
  response.set("Referrer-Policy", "no-referrer");
  if (!answer.location.empty()) {
    response.set(http::field::location, answer.location);
  }
  response.body() = answer.body;
  response.prepare_payload();
  std::ostringstream text;
  text << response;
  return text.str();
}

// Waits until the descriptor is ready or the time is up.
bool wait_for(int descriptor, short events, Clock::time_point deadline) {
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) {
      return false;
    }
    pollfd poll = {descriptor, events, 0};
    const int ready = ::poll(&poll, 1, static_cast<int>(left.count()));
    if (ready > 0) {
      return true;
    }
    if (ready == 0 || errno != EINTR) {
      return false;
    }
  }
}

// Until the empty line behind the headers; a body is never read.
std::string read_request(int connection) {
  const auto deadline = Clock::now() + patience;
  std::string request;
  std::array<char, 4096> part;
  while (request.find("\r\n\r\n") == std::string::npos && request.size() < most_request_bytes &&
         wait_for(connection, POLLIN, deadline)) {
    const ssize_t got = ::recv(connection, part.data(), part.size(), MSG_DONTWAIT);
    if (got > 0) {
      request.append(part.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      break;
    }
  }
  return request;
}

void write_answer(int connection, std::string_view text) {
  while (!text.empty() && wait_for(connection, POLLOUT, Clock::now() + patience)) {
    const ssize_t sent = ::send(connection, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent > 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      return;
    }
  }
}

}  // namespace

std::string Address::host() const { return fmt::format("127.0.0.1:{}", port); }

std::string Address::url() const { return fmt::format("http://{}/{}/", host(), token); }

std::string make_token() {
  std::array<unsigned char, token_bytes> bytes;
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    fail("getrandom");
  }
  std::string token;
  for (const unsigned char byte : bytes) {
    token += fmt::format("{:02x}", byte);
  }
  return token;
}

std::string answer_request(std::string_view request, const Address& address,
                           const std::function<Answer(std::string_view)>& ask) {
  http::request_parser<http::empty_body> parser;
  parser.header_limit(most_request_bytes);
  boost::beast::error_code error;
  parser.put(boost::asio::buffer(request.data(), request.size()), error);
  if (!parser.is_header_done()) {
    return "";
  }
  const auto& header = parser.get();
  const auto host = header[http::field::host];
  if (std::string_view(host.data(), host.size()) != address.host() ||
      header.count(http::field::host) != 1) {
    return text_of(refusal(403, "This address is for the machine itself."));
  }
  std::string_view path(header.target().data(), header.target().size());
  if (path.size() < address.token.size() + 2 || path.front() != '/' ||
      !is_same(path.substr(1, address.token.size()), address.token) ||
      path[address.token.size() + 1] != '/') {
    return text_of(refusal(404, "There is nothing here."));
  }
  if (header.method() != http::verb::get) {
    return text_of(refusal(405, "Only GET."));
  }
  // A link on somebody's page, or an image in it; what is typed or pasted has "none", the page itself "same-origin".
  const auto site = header["Sec-Fetch-Site"];
  if (site == "cross-site" || site == "same-site") {
    return text_of(refusal(403, "Another page asks for this one."));
  }
  path.remove_prefix(address.token.size() + 2);
  return text_of(ask(path));
}

int serve(std::uint16_t port, const std::function<void(const Address&)>& started,
          const std::function<Answer(std::string_view)>& ask) {
  // Before there is a second thread, which would get them.
  sigset_t ending;
  sigemptyset(&ending);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaddset(&ending, signal);
  }
  ::pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  const Descriptor signals(::signalfd(-1, &ending, SFD_CLOEXEC));
  const Descriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in place = {};
  place.sin_family = AF_INET;
  place.sin_port = htons(port);
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof place;
  auto* const general = reinterpret_cast<sockaddr*>(&place);
  if (signals.number() < 0 || listener.number() < 0 ||
      ::bind(listener.number(), general, size) != 0 ||
      ::listen(listener.number(), most_connections) != 0 ||
      ::getsockname(listener.number(), general, &size) != 0) {
    fail("127.0.0.1");
  }
  const Address address = {ntohs(place.sin_port), make_token()};
  started(address);

  std::mutex one_at_a_time;
  std::atomic<int> connections = 0;
  const auto ask_alone = [&](std::string_view what) {
    const std::lock_guard lock(one_at_a_time);
    return ask(what);
  };
  int signal = 0;
  while (signal == 0) {
    std::array<pollfd, 2> polls = {pollfd{signals.number(), POLLIN, 0},
                                   pollfd{listener.number(), POLLIN, 0}};
    if (::poll(polls.data(), polls.size(), -1) < 0) {
      continue;
    }
    if ((polls[0].revents & POLLIN) != 0) {
      signalfd_siginfo info;
      signal =
          ::read(signals.number(), &info, sizeof info) > 0 ? static_cast<int>(info.ssi_signo) : 0;
      continue;
    }
    const int connection = ::accept4(listener.number(), nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0 || connections >= most_connections) {
      ::close(connection);
      continue;
    }
    ++connections;
    std::thread([&, connection] {
      {
        const Descriptor open(connection);
        write_answer(connection, answer_request(read_request(connection), address, ask_alone));
        ::shutdown(connection, SHUT_WR);
      }
      --connections;
    }).detach();
  }
  // They look at what is on this stack.
  for (const auto end = Clock::now() + 2 * patience; connections > 0 && Clock::now() < end;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  if (connections > 0) {
    ::_exit(128 + signal);
  }
  ::pthread_sigmask(SIG_UNBLOCK, &ending, nullptr);
  return signal;
}

}  // namespace tarn::cli
