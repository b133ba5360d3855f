// The file descriptors of the control channel: a listening Unix socket in a folder that only its owner may
// enter, and a pipe that wakes whoever waits for it.
//
//   folder   $XDG_RUNTIME_DIR/tarn if XDG_RUNTIME_DIR is absolute, ours and 0700; else /tmp/tarn-UID.
//            A folder that isn't ours, is a symbolic link or lets others in isn't used
//   file     PID-START: START is the process's start in the kernel's ticks (field 22 of /proc/PID/stat), so
//            that a file which a dead process left is never taken for that of a later one with its PID
//
// A program may close every descriptor it finds (a daemon does), and get the same numbers again for files of
// its own. So ours lie high, each is known by its device and inode, and is asked for them before it is used
// or closed. What remains is the moment between the two: a program that closes all it finds just while a client
// is let in, or while the socket is opened, can lose a file that it opens in that same moment.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tarn::python {

class Descriptor {
 public:
  // Takes over a descriptor that was opened this moment; -1: none.
  void take(int descriptor) noexcept;
  // And moves it up, where programs don't look.
  void take_up(int descriptor) noexcept;
  // Whether it is still the file that it was.
  [[nodiscard]] bool is_ours() const noexcept;
  // If it's ours.
  void close() noexcept;
  [[nodiscard]] int number() const noexcept { return number_; }

 private:
  int number_ = -1;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
};

class ControlSocket {
 public:
  // Files of dead processes in the folder are removed. False: there is no such folder, or the system
  // refuses; then nothing is open.
  [[nodiscard]] bool open(const char* runtime_folder) noexcept;
  // Removes the file too.
  void close() noexcept;
  void remove_file() noexcept;
  // In a forked child: the file is the parent's.
  void forget() noexcept;

  [[nodiscard]] bool is_whole() const noexcept {
    return listener_.is_ours() && wake_read_.is_ours() && wake_write_.is_ours();
  }

  // Who waits for `wake_read` wakes up; until calm().
  void wake() noexcept;
  void calm() noexcept;

  [[nodiscard]] int listener() const noexcept { return listener_.number(); }
  [[nodiscard]] int wake_read() const noexcept { return wake_read_.number(); }

 private:
  [[nodiscard]] bool make_pipe() noexcept;
  [[nodiscard]] bool listen_in(int folder) noexcept;
  void close_descriptors() noexcept;

  Descriptor listener_;
  Descriptor wake_read_;
  Descriptor wake_write_;
  char path_[640] = {};  // empty: there is no file
};

}  // namespace tarn::python
