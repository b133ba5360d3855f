#include "integrations/python/waiting.h"

#include <atomic>

#include "integrations/python/hook.h"
#include "integrations/python/interpreters.h"
#include "integrations/python/sys_functions.h"

namespace tarn::python {

namespace {

// tracemalloc and debug hooks keep a copy of these functions; while they do, we can't leave.
constexpr unsigned calls_between_looks = 1024;

// Atomic, but in no order: below somebody's hooks two interpreters with a GIL each may be here.
constinit std::atomic<unsigned> calls_until_look{0};
constinit std::atomic<bool> inside{false};  // what we call may allocate

void look() noexcept {
  if (const unsigned calls = calls_until_look.load(std::memory_order_relaxed); calls != 0) {
    calls_until_look.store(calls - 1, std::memory_order_relaxed);
    return;
  }
  if (Py_IsInitialized() == 0 || inside.exchange(true, std::memory_order_acquire)) {
    return;
  }
  if (hook.state == State::waiting) {
    hook.state = State::living;
    watch_for_interpreters();
    install_sys_functions_later();
  }
  calls_until_look.store(calls_between_looks, std::memory_order_relaxed);
  // A locked heap gains nothing by it, and interpreters with a GIL of their own may be calling meanwhile.
  if (hook.heap->synchronisation == Synchronisation::caller && is_outermost()) {
    take_over(false);
  }
  inside.store(false, std::memory_order_release);
}

const heap::Face& face_of(void* context) noexcept { return *static_cast<heap::Face*>(context); }

void* allocate(void* context, std::size_t size) noexcept {
  look();
  const heap::Face& face = face_of(context);
  return face.functions->allocate(face.domain, size);
}

void* allocate_zeroed(void* context, std::size_t count, std::size_t size) noexcept {
  look();
  const heap::Face& face = face_of(context);
  return face.functions->allocate_zeroed(face.domain, count, size);
}

void* reallocate(void* context, void* block, std::size_t size) noexcept {
  look();
  const heap::Face& face = face_of(context);
  return face.functions->reallocate(face.domain, block, size);
}

void free(void* context, void* block) noexcept {
  const heap::Face& face = face_of(context);
  face.functions->free(face.domain, block);
}

}  // namespace

PyMemAllocatorEx waiting_functions(PyMemAllocatorDomain domain) noexcept {
  return {&hook.heap->faces[domain], allocate, allocate_zeroed, reallocate, free};
}

}  // namespace tarn::python
