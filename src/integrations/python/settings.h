// What the environment asks of the hook. Every variable is read once, before main; a malformed one is
// said in a line and has its default.
//
//   TARN_GEOMETRY    tarn (default), classic, modern
//   TARN_CHECKS      none (default), debug
//   TARN_QUIET       1: no messages
//   TARN_ADDRESS_MAP automatic (default), range, page_map: page_map for a program that lowers RLIMIT_AS
//                    itself, since the reserved range of addresses counts against that limit
//   TARN_RELEASE     normal (default), eager, off; at_once for tests: when pages go back to the system
//   TARN_DECAY       milliseconds (1000): how long a page must have been free while the program is busy
//   TARN_LARGE       own (default), general: who serves requests over 32 KiB, Tarn or the C library
//   TARN_RAW         off (default), on: whether the raw domain lives on Tarn too, in a heap behind a lock
//   TARN_HUGEPAGES   auto (default), off: whether large blocks that are asked for at once may have large pages
//   TARN_GC          adaptive (default), stock: who paces the collection of cycles
//   TARN_SITES       bytes: one block in so many is recorded with its stack (1: every block); unset, 0: none
//   TARN_SITES_FRAMES  how many frames of a stack are recorded, 1 to 256 (64)
//   TARN_SITES_SEED  a number that decides which blocks; unset: another one each time
//   TARN_CONTROL     on (default), off: whether `tarn release` and `tarn ledger` can reach the process
//   TARN_SNAPSHOT    exit, peak, every=SECONDS: when the process writes a snapshot of its heap (docs/snapshot.md)
//   TARN_SNAPSHOT_SIGNAL  USR1, USR2, HUP: a signal at which it writes one
//   TARN_SNAPSHOT_FILE    where (absolute): a file, or a folder with a slash at its end; unset: the current folder
//   TARN_SNAPSHOT_TOOL    the command `tarn`, which writes the file; unset: it's looked for beside the library
//   TARN_SNAPSHOT_VALUES  1: with short texts of simple objects (docs/snapshot.md says what that gives away)
//   TARN_REPORT_DIR  a folder (absolute): the process writes there at exit what the allocator did
#pragma once

#include <cstdint>

#include <tarn/heap.h>

namespace tarn::python {

enum class ReleasePolicy : std::uint8_t { normal, eager, off, at_once };

enum class SnapshotAt : std::uint8_t { never, exit, peak, every };

enum class GcPolicy : std::uint8_t { adaptive, stock };

struct Settings {
  Geometry geometry = Geometry::tarn;
  Checks checks = Checks::none;
  AddressMap address_map = AddressMap::automatic;
  ReleasePolicy release = ReleasePolicy::normal;
  Large large = Large::own;
  bool raw = false;
  LargePages large_pages = LargePages::automatic;
  unsigned decay_milliseconds = 1000;
  GcPolicy gc = GcPolicy::adaptive;
  std::uint64_t sites_rate = 0;  // bytes; zero: nothing is recorded
  unsigned sites_frames = 64;
  std::uint64_t sites_seed = 0;  // zero: any
  bool quiet = false;
  // Off also in a process with privileges of its own.
  bool control = true;
  // XDG_RUNTIME_DIR, if it is absolute; else empty. A copy, as that of the report's folder.
  char runtime_folder[512] = {};
  // Empty: no report. A copy, since programs write over their environment to change their title.
  char report_folder[1024] = {};
  SnapshotAt snapshot_at = SnapshotAt::never;
  unsigned snapshot_milliseconds = 0;  // of `every`
  int snapshot_signal = 0;
  bool snapshot_values = false;
  char snapshot_file[1024] = {};
  char snapshot_tool[1024] = {};
  // PYTHONMALLOC names an allocator of Python's own.
  bool other_allocator = false;
};

[[nodiscard]] Settings read_settings(int argument_count, char** arguments) noexcept;

// Whether PYTHONMALLOC's value names another allocator. `default` and `debug` don't: Tarn is then the
// default one, under Python's debug hooks.
[[nodiscard]] bool names_other_allocator(const char* value) noexcept;

// Whether python's command line has -E or -I, which make it ignore PYTHON* variables.
[[nodiscard]] bool ignores_environment(int argument_count, char** arguments) noexcept;

[[nodiscard]] const char* name_of(Geometry geometry) noexcept;
[[nodiscard]] const char* name_of(Checks checks) noexcept;
[[nodiscard]] const char* name_of(ReleasePolicy policy) noexcept;
[[nodiscard]] const char* name_of(GcPolicy policy) noexcept;

}  // namespace tarn::python
