// A program that limits its addresses itself (RLIMIT_AS). The addresses that Tarn has reserved count against
// that limit, though they cost no memory, and under it the system would refuse everybody all memory. So the
// functions with which a program sets the limit are ours too: they set it, and then give up what was
// reserved and never used. Pools keep what they have; what they can't serve any longer goes to the C library.
//
// Not seen: a limit that another process sets (prlimit --pid), or that is set without the GIL.
#include <cstdint>

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "integrations/python/gil.h"
#include "integrations/python/hook.h"

namespace tarn::python {

namespace {

// Above that nobody is short of addresses because of Tarn.
constexpr std::uint64_t least_harmless_limit = std::uint64_t{1} << 43;

struct Limit {
  std::uint64_t soft;
  std::uint64_t hard;
};

void give_up_unused() noexcept {
  if (hook.heap == nullptr || (hook.state != State::living && hook.state != State::waiting) ||
      !has_gil()) {
    return;
  }
  hook.heap->operations->give_up_unused(*hook.heap);
  if (hook.raw_heap != nullptr) {
    hook.raw_heap->operations->give_up_unused(*hook.raw_heap);
  }
}

int set_limit(pid_t pid, int resource, const void* wanted, void* old) noexcept {
  const auto done = static_cast<int>(::syscall(SYS_prlimit64, pid, resource, wanted, old));
  if (done == 0 && wanted != nullptr && resource == RLIMIT_AS && (pid == 0 || pid == ::getpid()) &&
      static_cast<const Limit*>(wanted)->soft < least_harmless_limit) {
    give_up_unused();
  }
  return done;
}

}  // namespace

}  // namespace tarn::python

#define TARN_SEEN_BY_PROGRAMS extern "C" [[gnu::visibility("default")]]

static_assert(sizeof(rlimit) == 16 && sizeof(rlimit64) == 16, "as the system call has it");

// NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the system's begin with underscores
TARN_SEEN_BY_PROGRAMS int setrlimit(__rlimit_resource_t resource, const rlimit* limit) noexcept {
  return tarn::python::set_limit(0, resource, limit, nullptr);
}
TARN_SEEN_BY_PROGRAMS int setrlimit64(__rlimit_resource_t resource,
                                      const rlimit64* limit) noexcept {
  return tarn::python::set_limit(0, resource, limit, nullptr);
}
TARN_SEEN_BY_PROGRAMS int prlimit(pid_t pid, __rlimit_resource resource, const rlimit* limit,
                                  rlimit* old) noexcept {
  return tarn::python::set_limit(pid, resource, limit, old);
}
TARN_SEEN_BY_PROGRAMS int prlimit64(pid_t pid, __rlimit_resource resource, const rlimit64* limit,
                                    rlimit64* old) noexcept {
  return tarn::python::set_limit(pid, resource, limit, old);
}
// NOLINTEND(readability-inconsistent-declaration-parameter-name)
