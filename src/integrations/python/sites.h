// Where blocks were allocated, if TARN_SITES asks for it: the recorder of this process, and what it tells.
//
// Recorded are the domains that live on Tarn: mem and obj, and raw with TARN_RAW. Everything of it has a lock of its
// own, so interpreters with a GIL each, and threads without one, may allocate at the same time. A forked child goes
// on with a copy of what its parent had.
//
// The text that is told, in lines; sites, frames and strings are numbered from 0 in the order in which they stand:
//
//   tarn-sites 1
//   pid, program, python       as in a report
//   rate BYTES                 one in so many was recorded; 1: all, and then the figures are exact
//   frames N                   that a stack has at most
//   samples N                  recorded ever
//   not_followed N             blocks of which it isn't known whether they live: the table was full
//   string =TEXT
//   frame FUNCTION FILE LINE   numbers of strings
//   site LIVE_BYTES LIVE_BLOCKS RETAINED_BYTES ALLOCATED_BYTES ALLOCATED_BLOCKS SAMPLES LIVE_SAMPLES CUT FRAME…
//                              the innermost frame first; CUT 1: the stack is deeper. Site 0 is that of blocks
//                              without a Python stack, site 1 that of stacks for which there was no room
//   end
#pragma once

#include <cstddef>

#include "heap/instance.h"
#include "sites/recorder.h"

namespace tarn::python {

// Before the heap is used. From then on its faces are sampled.
void record_sites_of(heap::Instance& heap) noexcept;
void record_sites_of_raw(heap::Instance& heap) noexcept;

// Null: nothing is recorded. For whoever looks at the heap: `find` says of a block what is known of it, and its
// site's number is that of the text above.
[[nodiscard]] sites::Recorder* site_recorder() noexcept;

// The text, in pages of its own.
class SitesText {
 public:
  SitesText() noexcept = default;
  ~SitesText();
  SitesText(const SitesText&) = delete;
  SitesText& operator=(const SitesText&) = delete;

  // False: nothing is recorded, or the system has no memory. Needs the GIL. Some milliseconds.
  [[nodiscard]] bool write() noexcept;
  [[nodiscard]] const char* begin() const noexcept { return buffer_; }
  [[nodiscard]] std::size_t length() const noexcept { return length_; }
  // Whole; errors are ignored.
  void write_to(int descriptor) const noexcept;

 private:
  char* buffer_ = nullptr;
  std::size_t size_ = 0;
  std::size_t length_ = 0;
};

// Into the folder of reports, as PID.sites, if there is one. Once in a process: what is there then stays. Needs the
// GIL.
void write_sites_report() noexcept;

}  // namespace tarn::python
