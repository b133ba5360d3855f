#include "heap/thread_watch.h"

#include <cerrno>

namespace tarn::heap {

// errno is a thread's own, and so is its address: no thread-local storage of ours is needed, which a
// preloaded library had better not have.
std::uintptr_t this_thread() noexcept { return reinterpret_cast<std::uintptr_t>(&errno); }

}  // namespace tarn::heap
