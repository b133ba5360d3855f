#include "integrations/python/hook.h"

#include <cstdlib>
#include <cstring>
#include <ctime>

#include <unistd.h>

#include "base/compiler.h"
#include "base/message.h"
#include "integrations/python/at_exit.h"
#include "integrations/python/control.h"
#include "integrations/python/interpreters.h"
#include "integrations/python/report.h"
#include "integrations/python/sites.h"
#include "integrations/python/sys_functions.h"
#include "integrations/python/waiting.h"

namespace tarn::python {

constinit Hook hook;

namespace {

constexpr PyMemAllocatorDomain our_domains[] = {PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};

PyMemAllocatorEx heap_functions(PyMemAllocatorDomain domain) noexcept {
  const heap::Face& face = hook.heap->faces[domain];
  return {face.domain, face.functions->allocate, face.functions->allocate_zeroed,
          face.functions->reallocate, face.functions->free};
}

bool is_ours(const PyMemAllocatorEx& functions, PyMemAllocatorDomain domain) noexcept {
  return functions.malloc == heap_functions(domain).malloc ||
         functions.malloc == waiting_functions(domain).malloc;
}

PyMemAllocatorEx functions_now(PyMemAllocatorDomain domain) noexcept {
  PyMemAllocatorEx functions = {};
  PyMem_GetAllocator(domain, &functions);
  return functions;
}

bool gil_is_held() noexcept { return Py_IsInitialized() == 0 || PyGILState_Check() != 0; }

// Blocks that the allocator before us handed out come back to us, and so do the large ones that it gets
// from us from now on: one and the same function takes both.
void forward_to(const PyMemAllocatorEx& previous) noexcept {
  hook.general = {
      previous.ctx, previous.malloc, previous.calloc, previous.realloc, previous.free, nullptr,
      true};
}

bool has_served() noexcept {
  HeapStatistics statistics;
  hook.heap->operations->collect_statistics(*hook.heap, statistics);
  return statistics.arenas_mapped != 0 || statistics.large_requests != 0;
}

// Python uses pymalloc, perhaps with its debug hooks on top; those stay on top.
void take_over_below_debug_hooks() noexcept {
  const bool debug_hooks =
      functions_now(PYMEM_DOMAIN_OBJ).malloc != hook.previous[PYMEM_DOMAIN_OBJ].malloc;
  take_over(true);
  if (debug_hooks) {
    watch_raw_domain();  // below the debug hooks, as before
    PyMem_SetupDebugHooks();
    hook.debug_hooks = functions_now(PYMEM_DOMAIN_OBJ).malloc;
  }
}

// Somebody wants memory for an arena. If that's pymalloc, it is in use although we had taken its place:
// dev mode and PYTHONMALLOC=debug or default put it back before anything is allocated.
void* arena_wanted(void* context, std::size_t size) noexcept {
  void* const arena = hook.previous_arenas.alloc(context, size);
  // Else it's the interpreter's own data stack, and hooks on top of ours are tracemalloc's, or those that
  // we were put below.
  if (hook.state == State::waiting && !is_outermost() && !has_served()) {
    if (hook.embedded) {
      stay_off(
          "a program that embeds Python in dev mode (or with PYTHONMALLOC) may initialise it "
          "again, "
          "and Python would then free Tarn's blocks with its own allocator");
    } else {
      take_over_below_debug_hooks();
    }
  }
  return arena;
}

void install_arena_hook() noexcept {
  PyObjectArenaAllocator arenas = {hook.previous_arenas.ctx, arena_wanted,
                                   hook.previous_arenas.free};
  PyObject_SetArenaAllocator(&arenas);
}

// Python loses it together with our functions.
bool has_our_arena_hook() noexcept {
  PyObjectArenaAllocator arenas = {};
  PyObject_GetArenaAllocator(&arenas);
  return arenas.alloc == arena_wanted;
}

HeapOptions options_for_python() noexcept {
  HeapOptions options;
  options.geometry = hook.settings.geometry;
  options.checks = hook.settings.checks;
  options.address_map = hook.settings.address_map;
  options.general = &hook.general;
  options.large = hook.settings.large;
  options.large_pages = hook.settings.large_pages;
  options.pools_on_demand = true;
  options.objects_are_linked = true;
  options.release =
      hook.settings.release == ReleasePolicy::at_once ? Release::at_once : Release::on_request;
  if (options.checks == Checks::debug) {
    options.lock_is_held = gil_is_held;
  }
  return options;
}

// glibc learns from the large blocks that a program frees that it should keep what its heap has at the end,
// and not give it back at each free and fault it in anew (its dynamic threshold). Those blocks are ours now,
// but zlib's and others' of a quarter of a mebibyte are still glibc's: it's taught by one block that nobody
// writes to.
void teach_c_library() noexcept {
  constexpr std::size_t taught = std::size_t{512} * 1024;
  if (hook.settings.large == Large::own) {
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what opaque returns is what it was given
    std::free(base::opaque(std::malloc(taught)));
  }
}

// Python's raw domain, from before its first request. Where Python puts its own allocator back for a moment
// (up to 3.13), it frees with it what it allocated with it.
void take_raw_domain() noexcept {
  HeapOptions options = options_for_python();
  options.synchronisation = Synchronisation::locked;
  options.lock_is_held = nullptr;
  options.pools_on_demand =
      false;  // for starts without it; who asks for the raw domain wants it here
  // Blocks from while Python's own allocator was in its place come to us.
  static constinit GeneralAllocator general = {};
  general = c_library_allocator();
  general.served_before = true;
  options.general = &general;
  hook.raw_heap = heap::create(options);
  if (hook.raw_heap == nullptr) {
    if (!hook.settings.quiet) {
      base::Message()
          .text(
              "tarn: TARN_RAW: the system grants no addresses for another heap; the raw domain "
              "stays with the C library\n")
          .write_to(base::standard_error);
    }
    return;
  }
  record_sites_of_raw(*hook.raw_heap);
  const heap::Face& face = hook.raw_heap->face(Domain::raw);
  PyMemAllocatorEx functions = {face.domain, face.functions->allocate,
                                face.functions->allocate_zeroed, face.functions->reallocate,
                                face.functions->free};
  PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &functions);
}

// Before main, before any thread.
[[gnu::constructor]] void start(int argument_count, char** arguments, char** /*environment*/) {
  if (&PyMem_SetAllocator == nullptr || &Py_GetVersion == nullptr) {
    return;  // not Python
  }
  hook.settings = read_settings(argument_count, arguments);
  hook.version = parse_version(Py_GetVersion());
  if (const char* const reason = reason_against(hook.version)) {
    stay_off(reason);
    return;
  }
  if (&_Py_NegativeRefcount != nullptr) {
    stay_off("a debug build of Python has checks of its own in its allocator; use a release build");
    return;
  }
  if (hook.settings.other_allocator) {
    stay_off(
        "PYTHONMALLOC chooses another allocator; unset it, or use PYTHONMALLOC=debug for Python's "
        "debug hooks on top of Tarn");
    return;
  }
  hook.general = c_library_allocator();
  teach_c_library();
  hook.heap = heap::create(options_for_python());
  if (hook.heap == nullptr) {
    stay_off("the system grants no address space; raise the limit (ulimit -v)");
    return;
  }
  record_sites_of(*hook.heap);
  hook.state = State::waiting;
  for (const PyMemAllocatorDomain domain : our_domains) {
    PyMem_GetAllocator(domain, &hook.previous[domain]);
    PyMemAllocatorEx functions = waiting_functions(domain);
    PyMem_SetAllocator(domain, &functions);
  }
  PyObject_GetArenaAllocator(&hook.previous_arenas);
  install_arena_hook();
  if (hook.settings.raw) {
    take_raw_domain();
  }
  watch_raw_domain();
}

[[gnu::destructor]] void finish() {
  // An embedding program chose another allocator, or it ended before Python was up.
  if (hook.state == State::waiting) {
    hook.state = State::off;
    hook.reason = "Python was not initialised, or was with another allocator";
  }
  abandon_control();
  write_report();
}

}  // namespace

bool is_outermost() noexcept {
  return is_ours(functions_now(PYMEM_DOMAIN_MEM), PYMEM_DOMAIN_MEM) &&
         is_ours(functions_now(PYMEM_DOMAIN_OBJ), PYMEM_DOMAIN_OBJ);
}

bool threads_keep_out() noexcept {
  const PyMemAllocatorEx functions = functions_now(PYMEM_DOMAIN_OBJ);
  return !is_ours(functions, PYMEM_DOMAIN_OBJ) && functions.malloc != hook.debug_hooks;
}

bool wait_to_be_let_in() noexcept {
  constexpr timespec between_looks = {0, 10'000'000};
  constexpr int most_looks = 100;
  if (PyGILState_GetThisThreadState() != nullptr) {
    return true;  // a thread of Python's: it has its state
  }
  for (int looks = 0; threads_keep_out(); ++looks) {
    if (looks == most_looks) {
      return false;
    }
    ::nanosleep(&between_looks, nullptr);
  }
  return true;
}

void take_over(bool previous_blocks_live) noexcept {
  if (previous_blocks_live) {
    // Both domains of pymalloc are one allocator.
    forward_to(hook.previous[PYMEM_DOMAIN_OBJ]);
  }
  for (const PyMemAllocatorDomain domain : our_domains) {
    PyMemAllocatorEx functions =
        hook.state == State::living ? heap_functions(domain) : waiting_functions(domain);
    PyMem_SetAllocator(domain, &functions);
  }
}

void live_again() noexcept {
  if (hook.state != State::living || Py_IsInitialized() == 0) {
    return;
  }
  if (forget_exit()) {
    forget_statistics();
    install_sys_functions_later();  // this life is told anew
  }
  if (has_our_arena_hook()) {
    return;
  }
  // Hooks on top of Python's allocator (tracemalloc's, debug hooks) would be torn off.
  if (functions_now(PYMEM_DOMAIN_OBJ).malloc != hook.previous[PYMEM_DOMAIN_OBJ].malloc) {
    stay_off("Python was initialised again, with hooks of its own on its allocator");
    return;
  }
  take_over(true);
  install_arena_hook();
  watch_for_interpreters();
}

void stay_off(const char* reason) noexcept {
  hook.state = State::off;
  hook.reason = reason;
  if (!hook.settings.quiet) {
    base::Message message;
    message.text("tarn: Tarn is off in process ").number(static_cast<std::uint64_t>(::getpid()));
    message.text(": ").text(reason).text("\n").write_to(base::standard_error);
  }
}

}  // namespace tarn::python
