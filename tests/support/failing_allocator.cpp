#include "support/failing_allocator.h"

#include <cstdlib>

namespace tarn::test {

namespace {
FailingAllocator& of(void* context) { return *static_cast<FailingAllocator*>(context); }
}  // namespace

bool FailingAllocator::fails() noexcept {
  ++requests_;
  if (fail_all_) {
    return true;
  }
  return until_failure_ != 0 && --until_failure_ == 0;
}

FailingAllocator::FailingAllocator() noexcept
    : interface_{
          .context = this,
          .allocate = [](void* context, std::size_t size) -> void* {
            void* const block = of(context).fails() ? nullptr : std::malloc(size);
            of(context).live_ += block != nullptr ? 1U : 0U;
            return block;
          },
          .allocate_zeroed = [](void* context, std::size_t count, std::size_t size) -> void* {
            void* const block = of(context).fails() ? nullptr : std::calloc(count, size);
            of(context).live_ += block != nullptr ? 1U : 0U;
            return block;
          },
          .reallocate = [](void* context, void* block, std::size_t size) -> void* {
            return of(context).fails() ? nullptr : std::realloc(block, size);
          },
          .free = [](void* context, void* block) -> void {
            of(context).live_ -= block != nullptr ? 1U : 0U;
            std::free(block);
          },
          .allocate_aligned = [](void* context, std::size_t alignment, std::size_t size) -> void* {
            const GeneralAllocator& below = c_library_allocator();
            void* const block =
                of(context).fails() ? nullptr : below.allocate_aligned(nullptr, alignment, size);
            of(context).live_ += block != nullptr ? 1U : 0U;
            return block;
          },
          .served_before = false,
      } {}

}  // namespace tarn::test
