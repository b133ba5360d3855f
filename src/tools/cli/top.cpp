// tarn top: a process's memory, live in the terminal.

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <ctime>
#include <memory>
#include <optional>
#include <utility>

#include "tools/cli/child.h"
#include "tools/cli/command_line.h"
#include "tools/cli/commands.h"
#include "tools/cli/console.h"
#include "tools/cli/control_answer.h"
#include "tools/cli/control_client.h"
#include "tools/cli/descriptor.h"
#include "tools/cli/failure.h"
#include "tools/cli/held_output.h"
#include "tools/cli/process.h"
#include "tools/cli/pulse_answer.h"
#include "tools/cli/signals.h"
#include "tools/cli/target.h"
#include "tools/cli/text.h"
#include "tools/cli/top_figures.h"
#include "tools/cli/top_layout.h"
#include "tools/cli/top_terminal.h"

namespace tarn::cli {
namespace {

const CommandText command_text = {
    "tarn top",
    "Show a process's memory live: resident against live, arenas, size classes, rates.",
    {"tarn top [OPTION...] PID", "tarn top [OPTION...] -- [RUN-OPTION...] COMMAND [ARGUMENT...]"},
    R"(What stands behind '--' is what 'tarn run' takes. The command's output, where
that would be the terminal, is shown when top leaves; its input is empty then.

Keys: q leave, s sort, n snapshot, r release, m measure what is retained, h help.
Without a terminal there is a line a second; for a command on standard error.

The exit status is the command's own; for a PID 0 when it could be watched, 1 when
the process can't be reached, 2 for a wrong argument.

Examples:
  tarn top 4711
  tarn top --lines --count 60 4711
  tarn top --json 4711 >memory.jsonl
  tarn top -- app.py --port 8000)"};

struct Options {
  std::string pid;
  std::vector<std::string> command;
  bool lines = false;
  bool as_json = false;
  std::uint64_t count = 0;  // of lines; zero: until it ends
  std::string output;
};

constexpr double between_pulses = 0.5;  // seconds
constexpr double between_lines = 1;
// A walk over all blocks stops the process: by itself only where it's short, and for a small part of its time.
constexpr double longest_walk = 0.05;
constexpr double between_walks = 10;
constexpr double walk_share = 1.0 / 400;
constexpr double walk_seconds_per_byte = 0.2 / (1024.0 * 1024 * 1024);
constexpr double patience_with_lock = 1;
constexpr double patience_with_start = 3;  // of a command, until it answers
constexpr double message_seconds = 8;
// Below that the exact figure is cheap; the other is behind by some pages for each processor.
constexpr std::uint64_t exact_resident_limit = std::uint64_t{64} << 20U;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string clock_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  ::localtime_r(&now, &parts);
  return fmt::format("{:02}:{:02}:{:02}", parts.tm_hour, parts.tm_min, parts.tm_sec);
}

class Top {
 public:
  explicit Top(const Options& options)
      : options_(options), shows_screen_(!options.lines && has_screen()) {}

  int run() {
    if (options_.command.empty()) {
      target_ = find_target(read_process_id(options_.pid, "tarn top"));
      expect_on_tarn(*target_);
      watch(target_->pid);
      look_at_resident();
      request("pulse", 10);  // throws: then there's nothing to see
    } else {
      start_command();
    }
    if (shows_screen_) {
      terminal_ = std::make_unique<TopTerminal>();
    }
    while (!is_over_) {
      turn();
    }
    terminal_.reset();
    return finish();
  }

 private:
  enum class Asked { pulse, statistics };

  void watch(pid_t pid) {
    process_.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (process_.number() < 0) {
      throw Failure(exit_failure, fmt::format("process {}: {}", pid, std::strerror(errno)));
    }
    ::fcntl(process_.number(), F_SETFD, FD_CLOEXEC);
  }

  void start_command() {
    std::vector<std::string> words{"run"};
    words.insert(words.end(), options_.command.begin(), options_.command.end());
    ChildStreams streams;
    Descriptor nothing;
    if (shows_screen_ || !options_.output.empty()) {
      output_ = std::make_unique<HeldOutput>(options_.output);
      const bool takes_all = !options_.output.empty();
      streams.output = takes_all || ::isatty(STDOUT_FILENO) == 1 ? output_->number() : -1;
      streams.errors = takes_all || ::isatty(STDERR_FILENO) == 1 ? output_->number() : -1;
    }
    if (shows_screen_) {
      nothing.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
      streams.input = nothing.number();
    }
    child_ = start_tarn(words, streams, signals_);
    watch(child_);
    screen_.pid = static_cast<std::uint64_t>(child_);
    screen_.name = "starting";
  }

  // ── asking ──

  void request(const char* what, int attempts) {
    asked_ = std::strcmp(what, "pulse") == 0 ? Asked::pulse : Asked::statistics;
    answer_ = std::make_unique<PendingAnswer>(*target_, what, attempts);
    asked_at_ = seconds_now();
    begun_at_ = 0;
  }

  void ask_again() {
    if (answer_ != nullptr) {
      return;
    }
    try {
      if (!options_.command.empty() && !was_answered_) {
        target_ = find_target(child_);
        if (!has_library(*target_)) {
          screen_.trouble = is_starting() ? "starting" : why_unreachable(*target_);
          return;
        }
      }
      const double now = seconds_now();
      const double expected = walk_seconds_ > 0
                                  ? walk_seconds_
                                  : static_cast<double>(resident_) * walk_seconds_per_byte;
      const bool walks =
          was_answered_ && (wants_walk_ || (now >= next_walk_ && expected < longest_walk));
      request(walks ? "statistics" : "pulse", 1);
      wants_walk_ = wants_walk_ && !walks;
    } catch (const Failure& failure) {
      screen_.trouble = is_starting() ? "starting" : failure.what();
    }
  }

  [[nodiscard]] bool is_starting() const {
    return child_ != 0 && !was_answered_ && seconds_now() < started_at_ + patience_with_start;
  }

  void take_answer() {
    try {
      answer_->take();
      if (answer_->stage() == AnswerStage::begun && begun_at_ == 0) {
        begun_at_ = seconds_now();
      }
      if (answer_->stage() != AnswerStage::ended) {
        return;
      }
      const double now = seconds_now();
      if (asked_ == Asked::pulse) {
        history_.add_pulse(now, read_pulse(answer_->text()));
        has_news_ = true;
      } else {
        TopResidency residency = residency_of(read_statistics(answer_->text()));
        residency.time = now;
        residency.seconds = now - (begun_at_ > 0 ? begun_at_ : asked_at_);
        walk_seconds_ = residency.seconds;
        next_walk_ = now + std::max(between_walks, residency.seconds / walk_share);
        history_.set_residency(residency);
      }
      was_answered_ = true;
      screen_.trouble.clear();
      const bool was_walk = asked_ == Asked::statistics;
      answer_.reset();
      if (was_walk) {
        ask_again();
      }
    } catch (const BadAnswer& bad) {
      answer_.reset();
      const std::string problem = fmt::format("process {} ({}): its answer can't be used: {}",
                                              target_->pid, target_->name, bad.what());
      if (!was_answered_) {
        throw Failure(exit_failure, problem);
      }
      screen_.trouble = problem;
    } catch (const Failure& failure) {
      answer_.reset();
      screen_.trouble = failure.what();
    }
  }

  void look_at_patience() {
    const double waited = seconds_now() - asked_at_;
    if (answer_ == nullptr || waited < patience_with_lock) {
      return;
    }
    const char* what = "it doesn't answer; is it stopped, or busy with another?";
    if (answer_->stage() == AnswerStage::greeted) {
      what = "waiting for Python's lock (the GIL)";
    } else if (answer_->stage() == AnswerStage::begun) {
      what = "it is looking at its heap";
    }
    screen_.trouble = fmt::format("{}: {:.0f} s", what, waited);
  }

  void look_at_resident() {
    const pid_t pid = target_ ? target_->pid : child_;
    try {
      if (resident_ < exact_resident_limit) {
        resident_ = resident_bytes(pid);
      } else {
        const std::string statm = read_process_file(pid, "statm");
        const std::size_t space = statm.find(' ');
        const std::uint64_t pages =
            space == std::string::npos ? 0 : std::strtoull(statm.c_str() + space + 1, nullptr, 10);
        resident_ = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
      }
      history_.add_resident(seconds_now(), resident_);
    } catch (const Failure&) {
      // It ends; its descriptor tells.
    }
  }

  // ── waiting ──

  void turn() {
    const double now = seconds_now();
    const int left = next_tick_ > now ? static_cast<int>((next_tick_ - now) * 1000) + 1 : 0;
    enum { of_process, of_signals, of_keys, of_answer, of_action, places };
    pollfd wanted[places] = {{process_.number(), POLLIN, 0},
                             {signal_file_.number(), POLLIN, 0},
                             {terminal_ ? STDIN_FILENO : -1, POLLIN, 0},
                             {answer_ ? answer_->descriptor() : -1, POLLIN, 0},
                             {action_.number(), POLLIN, 0}};
    if (::poll(wanted, places, left) < 0 && errno != EINTR) {
      throw Failure(exit_failure, fmt::format("poll: {}", std::strerror(errno)));
    }
    take_signals();
    if (wanted[of_action].revents != 0) {
      take_action();
    }
    if (wanted[of_answer].revents != 0 && answer_) {
      take_answer();
      show();
    }
    if (wanted[of_keys].revents != 0) {
      take_keys();
      // The terminal has hung up.
      is_over_ = is_over_ || (wanted[of_keys].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
    }
    if (wanted[of_process].revents != 0) {
      has_ended_ = is_over_ = true;
      return;
    }
    if (seconds_now() >= next_tick_) {
      tick();
    }
  }

  void tick() {
    next_tick_ = std::max(next_tick_ + (shows_screen_ ? between_pulses : between_lines),
                          seconds_now() + 0.1);
    look_at_resident();
    ask_again();
    look_at_patience();
    if (shows_screen_ || (!screen_.trouble.empty() && !is_starting())) {
      show();
    }
  }

  // Where there are lines: figures once, trouble each time.
  void show() {
    if (shows_screen_) {
      draw();
    } else if (!is_over_ && (has_news_ || !screen_.trouble.empty())) {
      has_news_ = false;
      write_line();
    }
  }

  void prepare() {
    screen_.now = seconds_now();
    screen_.clock = clock_now();
    if (target_) {
      screen_.name = target_->name;
      screen_.pid = static_cast<std::uint64_t>(target_->pid);
    }
    if (action_.number() < 0 && screen_.now > message_until_) {
      screen_.message.clear();
    }
  }

  void draw() {
    if (!terminal_) {
      return;
    }
    prepare();
    terminal_->show(lay_out(history_.figures(screen_.order), screen_, terminal_->width(),
                            terminal_->height(), terminal_->glyphs()));
  }

  void write_line() {
    prepare();
    const TopFigures figures = history_.figures(screen_.order);
    const std::string line =
        options_.as_json ? json_line_of(figures, screen_) : line_of(figures, screen_);
    if (options_.command.empty()) {
      print(line);
    } else {
      print_error(line);  // standard output is the command's
    }
    if (++written_ == options_.count) {
      is_over_ = true;
    }
  }

  // ── signals and keys ──

  void take_signals() {
    const timespec at_once = {};
    siginfo_t info;
    while (::sigtimedwait(&signals_.set(), &info, &at_once) > 0) {
      switch (info.si_signo) {
        case SIGWINCH:
          if (terminal_) {
            terminal_->resize();
            draw();
          }
          continue;
        case SIGCHLD:
        case SIGCONT:
          continue;
        case SIGTSTP:
        case SIGTTIN:
        case SIGTTOU:
          if (terminal_) {
            terminal_->lend();
          }
          stop_self(info.si_signo);
          if (terminal_) {
            terminal_->take_back();
          }
          continue;
        default:
          break;
      }
      if (child_ != 0) {
        if (must_pass_on(info, child_, leads_session_)) {
          ::kill(child_, info.si_signo);
        }
      } else if (info.si_signo == SIGINT || info.si_signo == SIGTERM || info.si_signo == SIGHUP ||
                 info.si_signo == SIGQUIT) {
        terminal_.reset();
        throw Interrupted{info.si_signo};
      }
    }
  }

  void take_keys() {
    int key;
    while (terminal_ && (key = terminal_->key()) != 0) {
      const bool left_help = std::exchange(screen_.shows_help, false);
      switch (key) {
        case -1:
        case 'q':
          is_over_ = true;
          return;
        case 's':
          screen_.order = next(screen_.order);
          break;
        case 'h':
        case '?':
          screen_.shows_help = !left_help;
          break;
        case 'm':
          wants_walk_ = true;
          say("measuring what is retained");
          break;
        case 'n':
          act("snapshot", "writing a snapshot");
          break;
        case 'r':
          act("release", "giving back what can go");
          break;
        default:
          break;
      }
      draw();
    }
  }

  void say(const std::string& words) {
    screen_.message = words;
    message_until_ = seconds_now() + message_seconds;
  }

  // As the command of that name does it, beside us.
  void act(const char* command, const char* words) {
    if (!target_ || action_.number() >= 0) {
      return;
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      return;
    }
    const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    action_.reset(ends[0]);
    const Descriptor write_end(ends[1]);
    action_words_.clear();
    action_child_ =
        start_tarn({command, std::to_string(target_->pid)},
                   {nothing.number(), write_end.number(), write_end.number()}, signals_);
    say(words);
  }

  void take_action() {
    char part[4096];
    const ssize_t got = ::read(action_.number(), part, sizeof part);
    if (got > 0) {
      action_words_.append(part, static_cast<std::size_t>(got));
      return;
    }
    if (got < 0 && errno == EINTR) {
      return;
    }
    action_.close();
    ::waitpid(action_child_, nullptr, 0);
    std::string words = action_words_.substr(0, action_words_.find('\n'));
    // Whose it is stands in the heading.
    const std::string whose = fmt::format("process {} ({}): ", target_->pid, target_->name);
    if (words.starts_with(whose)) {
      words.erase(0, whose.size());
    }
    say(escape(words));
    draw();
  }

  // ── the end ──

  int finish() {
    if (child_ == 0) {
      if (has_ended_) {
        complain(fmt::format("process {} ({}) has ended", target_->pid, target_->name));
      }
      return 0;
    }
    // Left before the command's end: it goes on, and its output is seen.
    int status = 0;
    while (::waitpid(child_, &status, WNOHANG) == 0) {
      if (output_) {
        output_->show();
      }
      constexpr int between_looks = 100;  // milliseconds
      pollfd wanted[] = {{process_.number(), POLLIN, 0}, {signal_file_.number(), POLLIN, 0}};
      ::poll(wanted, std::size(wanted), between_looks);
      take_signals();
    }
    if (output_) {
      output_->show();
    }
    return end_as(status);
  }

  const Options& options_;
  const bool shows_screen_;
  const HeldSignals signals_;  // before there's a terminal to put back
  const bool leads_session_ = ::getsid(0) == ::getpid();
  // Only to be polled: what came is taken as it was sent.
  const Descriptor signal_file_{::signalfd(-1, &signals_.set(), SFD_CLOEXEC | SFD_NONBLOCK)};

  std::optional<Target> target_;
  Descriptor process_;
  pid_t child_ = 0;
  std::unique_ptr<HeldOutput> output_;
  std::unique_ptr<TopTerminal> terminal_;

  std::unique_ptr<PendingAnswer> answer_;
  Asked asked_ = Asked::pulse;
  double asked_at_ = 0;
  double begun_at_ = 0;
  bool was_answered_ = false;
  bool has_news_ = false;
  bool wants_walk_ = false;
  double walk_seconds_ = 0;
  double next_walk_ = 0;

  Descriptor action_;
  pid_t action_child_ = 0;
  std::string action_words_;
  double message_until_ = 0;

  TopHistory history_;
  TopScreen screen_;
  std::uint64_t resident_ = 0;
  const double started_at_ = seconds_now();
  double next_tick_ = started_at_;
  std::uint64_t written_ = 0;
  bool is_over_ = false;
  bool has_ended_ = false;
};

bool is_number(const std::string& word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

int top(const std::vector<std::string>& words) {
  Options options;
  const auto dashes = std::ranges::find(words, "--");
  std::vector<std::string> own(words.begin(), dashes);
  const bool has_command = dashes != words.end();
  if (has_command) {
    options.command.assign(dashes + 1, words.end());
  }
  std::string count;
  CommandLine line(command_text);
  line.options().add_option("PID", options.pid, "the process");
  line.options().add_flag("--lines", options.lines, "a line a second, also on a terminal");
  line.options().add_flag("--json", options.as_json, "each line a JSON object, sizes in bytes");
  line.options().add_option("--count", count, "so many lines, then end")->option_text("=NUMBER");
  line.options()
      .add_option("--output", options.output, "all output of the command goes to FILE")
      ->option_text("=FILE");
  if (!line.parse(own)) {
    return 0;
  }
  if (has_command && !options.pid.empty()) {
    throw UsageError("tarn top", "either a process id or a command, not both");
  }
  if (has_command && options.command.empty()) {
    throw UsageError("tarn top", "no command behind '--'");
  }
  if (!has_command && options.pid.empty()) {
    throw UsageError("tarn top", "no process id");
  }
  if (!has_command && !options.output.empty()) {
    throw UsageError("tarn top", "--output is for a command");
  }
  if (!has_command && !is_number(options.pid)) {
    throw UsageError("tarn top",
                     fmt::format("'{0}' is not a process id; did you mean 'tarn top -- {0}'?",
                                 escape(options.pid)));
  }
  if (!count.empty()) {
    if (!is_number(count) || count.size() > 9 ||
        count.find_first_not_of('0') == std::string::npos) {
      throw UsageError("tarn top",
                       fmt::format("--count: '{}' is not a number from 1 on", escape(count)));
    }
    options.count = std::stoull(count);
  }
  options.lines = options.lines || options.as_json || options.count != 0;
  return Top(options).run();
}

}  // namespace tarn::cli
