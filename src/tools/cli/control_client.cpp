#include "tools/cli/control_client.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <csignal>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "tools/cli/control_answer.h"
#include "tools/cli/descriptor.h"
#include "tools/cli/environment.h"
#include "tools/cli/failure.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds patience_for_greeting{10};
constexpr std::chrono::seconds patience_for_lock{5};
constexpr std::chrono::seconds patience_for_work{120};
constexpr int most_attempts = 10;
constexpr std::chrono::milliseconds between_attempts{50};

[[noreturn]] void fail(const Target& target, const std::string& what) {
  throw Failure(exit_failure, fmt::format("process {} ({}): {}", target.pid, target.name, what));
}

// XDG_RUNTIME_DIR in the environment that the process was started with.
std::optional<std::string> runtime_folder_of(const Target& target) {
  std::string environment;
  try {
    environment = read_process_file(target.pid, "environ");
  } catch (const Failure&) {
    return std::nullopt;
  }
  constexpr std::string_view key = "XDG_RUNTIME_DIR=";
  for (std::size_t at = 0; at < environment.size();) {
    const std::string_view entry = environment.data() + at;
    if (entry.starts_with(key)) {
      return std::string(entry.substr(key.size()));
    }
    at += entry.size() + 1;
  }
  return std::nullopt;
}

// Where the process may have made its socket.
std::vector<std::string> folders_of(const Target& target) {
  std::vector<std::string> folders;
  for (const std::optional<std::string>& runtime :
       {runtime_folder_of(target), Environment::of_this_process().get("XDG_RUNTIME_DIR")}) {
    if (runtime && runtime->starts_with("/")) {
      folders.push_back(*runtime + "/tarn");
    }
  }
  folders.push_back(fmt::format("/tmp/tarn-{}", target.user));
  return folders;
}

// Not open: there is no such folder, or nothing of the process in it. Throws Failure when the folder can't
// be trusted.
Descriptor connect_in(const std::string& folder, const Target& target) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!opened.is_open()) {
    if (errno == ELOOP || errno == ENOTDIR) {
      fail(target, fmt::format("{} is not a folder, so it isn't used", escape(folder)));
    }
    return Descriptor(-1);
  }
  struct stat status = {};
  if (::fstat(opened.number(), &status) != 0) {
    return Descriptor(-1);
  }
  if (status.st_uid != target.user) {
    fail(target, fmt::format("{} belongs to another user, so it isn't used", escape(folder)));
  }
  if ((status.st_mode & 0777U) != 0700U) {
    fail(target, fmt::format("{} has mode {:04o} and not 0700, so it isn't used", escape(folder),
                             status.st_mode & 07777U));
  }
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const auto end =
      fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/{}-{}",
                       opened.number(), target.pid, target.start);
  *end.out = '\0';
  const timeval patience = {patience_for_greeting.count(), 0};
  if (!socket.is_open() ||
      ::setsockopt(socket.number(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) != 0) {
    return Descriptor(-1);
  }
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) !=
      0) {
    if (errno == EAGAIN) {
      fail(target, "too many others ask it");
    }
    return Descriptor(-1);
  }
  return socket;
}

void check_peer(const Descriptor& socket, const Target& target) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.number(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 ||
      peer.pid != target.pid) {
    fail(target, fmt::format("its control socket is held by process {}", peer.pid));
  }
}

Descriptor connect_to(const Target& target, int attempts) {
  for (int attempt = 0; attempt < attempts; ++attempt) {
    // A folder that can't be trusted is said only if no other has the process: it looks further too.
    std::optional<Failure> trouble;
    for (const std::string& folder : folders_of(target)) {
      try {
        Descriptor socket = connect_in(folder, target);
        if (socket.is_open()) {
          check_peer(socket, target);
          return socket;
        }
      } catch (const Failure& failure) {
        if (!trouble) {
          trouble = failure;
        }
      }
    }
    // A process opens its socket when it has run for a while; others needn't be waited for.
    if (attempt + 1 == attempts || is_control_off(target)) {
      if (trouble) {
        throw *trouble;
      }
      fail(target, why_unreachable(target));
    }
    ::usleep(static_cast<useconds_t>(std::chrono::microseconds(between_attempts).count()));
  }
  fail(target, "nobody listens");
}

[[noreturn]] void too_late(const Target& target, AnswerStage stage) {
  switch (stage) {
    case AnswerStage::greeted:
      fail(target,
           fmt::format("it has held Python's lock (the GIL) for {} seconds; nothing was done",
                       patience_for_lock.count()));
    case AnswerStage::begun:
      fail(target,
           fmt::format("its answer wasn't over after {} seconds", patience_for_work.count()));
    default:
      fail(target, fmt::format("it doesn't answer for {} seconds; is it stopped?",
                               patience_for_greeting.count()));
  }
}

}  // namespace

void expect_on_tarn(const Target& target) {
  if (::geteuid() != 0 && ::geteuid() != target.user) {
    fail(target, "it belongs to another user");
  }
  if (!has_library(target)) {
    fail(target, why_unreachable(target));
  }
}

namespace {

Descriptor send_request(const Target& target, const std::string& request,
                        int attempts = most_attempts) {
  Descriptor socket = connect_to(target, attempts);
  const std::string line = request + "\n";
  if (::send(socket.number(), line.data(), line.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(line.size())) {
    fail(target, fmt::format("it doesn't take the request: {}", std::strerror(errno)));
  }
  return socket;
}

}  // namespace

void ask_for_stream(const Target& target, const std::string& request,
                    const std::function<void(std::string_view bytes)>& take) {
  expect_on_tarn(target);
  const Descriptor socket = send_request(target, request);
  std::string head;  // the lines before the stream
  bool has_begun = false;
  AnswerStage stage = AnswerStage::nothing;
  std::vector<char> part(256 * 1024);
  Clock::time_point end = Clock::now() + patience_for_greeting;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    pollfd wanted = {socket.number(), POLLIN, 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&wanted, 1, static_cast<int>(left.count()));
    if (ready == 0) {
      too_late(target, stage);
    }
    const ssize_t got = ready < 0 ? -1 : ::recv(socket.number(), part.data(), part.size(), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0 || (got == 0 && !has_begun)) {
      fail(target, "it broke off the answer: it is ending, or busy with another");
    }
    if (got == 0) {
      return;
    }
    const std::string_view bytes(part.data(), static_cast<std::size_t>(got));
    if (has_begun) {
      take(bytes);
      end = Clock::now() + patience_for_work;  // for the next part
      continue;
    }
    head.append(bytes);
    if (const std::optional<std::size_t> start = start_of_stream(head)) {
      has_begun = true;
      take(std::string_view(head).substr(*start));
    }
    if (const AnswerStage now = stage_of(head); now != stage) {
      stage = now;
      end = Clock::now() + (stage == AnswerStage::begun ? patience_for_work : patience_for_lock);
    }
  }
}

std::string ask(const Target& target, const std::string& request, std::size_t size_limit) {
  expect_on_tarn(target);
  const Descriptor socket = send_request(target, request);
  std::string answer;
  AnswerStage stage = AnswerStage::nothing;
  Clock::time_point end = Clock::now() + patience_for_greeting;
  while (stage != AnswerStage::ended) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    pollfd wanted = {socket.number(), POLLIN, 0};
    const int ready = left.count() <= 0 ? 0 : ::poll(&wanted, 1, static_cast<int>(left.count()));
    if (ready == 0) {
      too_late(target, stage);
    }
    char part[16 * 1024];
    const ssize_t got = ready < 0 ? -1 : ::recv(socket.number(), part, sizeof part, 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      fail(target, "it broke off the answer: it is ending, or busy with another");
    }
    answer.append(part, static_cast<std::size_t>(got));
    if (answer.size() > size_limit) {
      fail(target, "its answer has no end");
    }
    const AnswerStage now = stage_of(answer);
    if (now != stage) {
      stage = now;
      end = Clock::now() + (stage == AnswerStage::begun ? patience_for_work : patience_for_lock);
    }
  }
  return answer;
}

PendingAnswer::PendingAnswer(const Target& target, const std::string& request, int attempts)
    : target_(target), socket_(send_request(target, request, attempts).take_out()) {}

PendingAnswer::~PendingAnswer() { ::close(socket_); }

void PendingAnswer::take() {
  char part[16 * 1024];
  while (stage_ != AnswerStage::ended) {
    const ssize_t got = ::recv(socket_, part, sizeof part, MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got < 0 && errno == EAGAIN) {
      return;
    }
    if (got <= 0) {
      fail(target_, "it broke off the answer: it is ending, or busy with another");
    }
    text_.append(part, static_cast<std::size_t>(got));
    if (text_.size() > answer_size_limit) {
      fail(target_, "its answer has no end");
    }
    stage_ = stage_of(text_);
  }
}

}  // namespace tarn::cli
