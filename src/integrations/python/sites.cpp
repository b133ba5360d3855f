#include "integrations/python/sites.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>

#include <fcntl.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/message.h"
#include "heap/sampling.h"
#include "integrations/python/hook.h"
#include "integrations/python/lines.h"
#include "integrations/python/python_stack.h"
#include "integrations/python/report.h"
#include "os/virtual_memory.h"

namespace tarn::python {

namespace {

using sites::RecordedBlocks;
using sites::Recorder;
using sites::Site;
using sites::SiteTable;

constinit Recorder recorder;
constinit heap::SampledDomains domains = {};
constinit heap::SampledDomains raw_domains = {};

void say(const char* what) noexcept {
  if (!hook.settings.quiet) {
    base::Message().text("tarn: --sites: ").text(what).text("\n").write_to(base::standard_error);
  }
}

std::uint64_t any_seed() noexcept {
  timespec now = {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_nsec) * 1'000'003 +
         static_cast<std::uint64_t>(now.tv_sec) + static_cast<std::uint64_t>(::getpid());
}

bool open_recorder() noexcept {
  if (!prepare_stack_walk()) {
    say("the frames of this version of Python aren't known; the program runs without");
    return false;
  }
  sites::RecorderOptions options;
  options.rate = hook.settings.sites_rate;
  options.seed = hook.settings.sites_seed != 0 ? hook.settings.sites_seed : any_seed();
  options.most_frames = hook.settings.sites_frames;
  options.walk_stack = walk_python_stack;
  if (!recorder.open(options)) {
    say("the system grants no addresses for the tables; the program runs without");
    return false;
  }
  return true;
}

// What of a site's blocks lives, by the weights of those that were recorded.
struct Live {
  double bytes;
  double blocks;
  double retained;
  std::uint64_t samples;
};

// An array in pages of its own.
template <typename Element>
class Pages {
 public:
  explicit Pages(std::size_t count) noexcept
      : size_(base::round_up((count + 1) * sizeof(Element), os::page_size())),
        elements_(static_cast<Element*>(os::map(size_, os::page_size()))) {}
  ~Pages() {
    if (elements_ != nullptr) {
      os::release(elements_, size_);
    }
  }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  [[nodiscard]] bool is_there() const noexcept { return elements_ != nullptr; }
  [[nodiscard]] Element& operator[](std::size_t index) const noexcept { return elements_[index]; }

 private:
  std::size_t size_;
  Element* elements_;
};

// Each block's share of what its pool's free blocks keep from going back. Not under the recorder's lock, since a
// heap's lock is taken for it; a block that has been freed meanwhile has no harm of it.
double retained_beside(const RecordedBlocks::Entry& entry) noexcept {
  const bool is_raw = static_cast<Domain>(entry.domain) == Domain::raw;
  heap::Instance* const instance = is_raw ? hook.raw_heap : hook.heap;
  if (instance == nullptr) {
    return 0;
  }
  const heap::Surroundings around = instance->operations->surroundings_of(
      *instance, reinterpret_cast<const void*>(entry.address));
  return around.allocated == 0
             ? 0
             : static_cast<double>(around.free_bytes) / static_cast<double>(around.allocated);
}

// False: no memory.
bool sum_up(const Pages<Live>& live) noexcept {
  std::size_t expected = 0;
  {
    const os::Locked locked(recorder.mutex());
    expected = recorder.blocks().size() + recorder.blocks().size() / 8 + 1024;
  }
  const Pages<RecordedBlocks::Entry> entries(expected);
  if (!entries.is_there()) {
    return false;
  }
  std::size_t count = 0;
  {
    const os::Locked locked(recorder.mutex());
    recorder.blocks().for_each([&](const RecordedBlocks::Entry& entry) {
      if (count < expected) {
        entries[count++] = entry;
      }
    });
  }
  for (std::size_t i = 0; i < count; ++i) {
    const RecordedBlocks::Entry& entry = entries[i];
    const double weight = recorder.weight(entry);
    Live& of_site = live[entry.site];
    of_site.bytes += weight * static_cast<double>(entry.size);
    of_site.blocks += weight;
    of_site.retained += weight * retained_beside(entry);
    ++of_site.samples;
  }
  return true;
}

// NOLINTNEXTLINE(bugprone-incorrect-roundings): never negative, and std::lround would bring libm into the process
std::uint64_t rounded(double value) noexcept { return static_cast<std::uint64_t>(value + 0.5); }

void write_string(Lines& lines, std::string_view text) noexcept {
  char copy[SiteTable::most_string_bytes + 1];
  std::copy(text.begin(), text.end(), copy);
  copy[text.size()] = '\0';
  lines.add(base::Message().text("string ="));
  // In halves, so that neither is too long for a message when every byte is escaped.
  constexpr std::size_t half = SiteTable::most_string_bytes / 2;
  char rest[half + 1] = {};
  if (text.size() > half) {
    std::memcpy(rest, copy + half, text.size() - half);
    copy[half] = '\0';
  }
  lines.add(base::Message().escaped(copy));
  lines.add(base::Message().escaped(rest));
  lines.add(base::Message().text("\n"));
}

void write_site(Lines& lines, const SiteTable& table, const Site& site, const Live& live) noexcept {
  base::Message message;
  message.text("site");
  for (const std::uint64_t value :
       {rounded(live.bytes), rounded(live.blocks), rounded(live.retained),
        rounded(site.allocated_bytes), rounded(site.allocated_blocks), site.samples, live.samples,
        std::uint64_t{site.is_cut}}) {
    message.text(" ").number(value);
  }
  lines.add(message);
  for (std::size_t i = 0; i < site.depth; ++i) {
    lines.add(base::Message().text(" ").number(table.frame_number(site, i)));
  }
  lines.add(base::Message().text("\n"));
}

std::size_t most_bytes_of_text(const SiteTable& table, std::size_t frames_of_sites) noexcept {
  std::size_t bytes = std::size_t{16} * 1024;
  for (std::uint32_t i = 0; i < table.string_count(); ++i) {
    bytes += 4 * table.string(i).size() + 16;
  }
  return bytes + table.frame_count() * std::size_t{40} + table.site_count() * std::size_t{160} +
         frames_of_sites * 8;
}

}  // namespace

void record_sites_of(heap::Instance& heap) noexcept {
  if (hook.settings.sites_rate != 0 && open_recorder()) {
    heap::sample(heap, domains, recorder.observer());
  }
}

void record_sites_of_raw(heap::Instance& heap) noexcept {
  if (recorder.is_open()) {
    heap::sample(heap, raw_domains, recorder.observer());
  }
}

sites::Recorder* site_recorder() noexcept { return recorder.is_open() ? &recorder : nullptr; }

SitesText::~SitesText() {
  if (buffer_ != nullptr) {
    os::release(buffer_, size_);
  }
}

bool SitesText::write() noexcept {
  if (!recorder.is_open() || buffer_ != nullptr) {
    return false;
  }
  // Room for the sites that come meanwhile, without the GIL.
  const SiteTable& table = recorder.table();
  const Pages<Live> live(65536);
  if (!live.is_there() || !sum_up(live)) {
    return false;
  }
  const os::Locked locked(recorder.mutex());
  std::size_t frames_of_sites = 0;
  for (std::uint32_t i = 0; i < table.site_count(); ++i) {
    frames_of_sites += table.site(i).depth;
  }
  size_ = base::round_up(most_bytes_of_text(table, frames_of_sites), os::page_size());
  buffer_ = static_cast<char*>(os::map(size_, os::page_size()));
  if (buffer_ == nullptr) {
    return false;
  }
  Lines lines(buffer_, size_);
  lines.number("tarn-sites", 1);
  write_identity(lines);
  lines.number("rate", recorder.rate());
  lines.number("frames", recorder.most_frames());
  lines.number("samples", recorder.samples());
  lines.number("not_followed", recorder.not_followed());
  for (std::uint32_t i = 0; i < table.string_count(); ++i) {
    write_string(lines, table.string(i));
  }
  for (std::uint32_t i = 0; i < table.frame_count(); ++i) {
    const sites::Frame& frame = table.frame(i);
    base::Message message;
    message.text("frame ").number(frame.function).text(" ").number(frame.file).text(" ");
    lines.add(message.number(frame.line).text("\n"));
  }
  for (std::uint32_t i = 0; i < table.site_count(); ++i) {
    write_site(lines, table, table.site(i), live[i]);
  }
  lines.end();
  length_ = lines.length();
  return true;
}

void SitesText::write_to(int descriptor) const noexcept {
  Lines::write_to(descriptor, buffer_, length_);
}

void write_sites_report() noexcept {
  static constinit pid_t written_by = 0;
  if (hook.settings.report_folder[0] == '\0' || !recorder.is_open() || written_by == ::getpid()) {
    return;
  }
  written_by = ::getpid();
  char path[4096];
  const int length = std::snprintf(path, sizeof(path), "%s/%ld.sites", hook.settings.report_folder,
                                   static_cast<long>(::getpid()));
  if (length < 0 || static_cast<std::size_t>(length) >= sizeof(path)) {
    return;
  }
  SitesText text;
  if (!text.write()) {
    return;
  }
  const int file = ::open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file >= 0) {
    text.write_to(file);
    ::close(file);
  }
}

}  // namespace tarn::python
