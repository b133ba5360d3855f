#include "sites/recorder.h"

#include <new>

#include "base/assert.h"
#include "base/bits.h"
#include "os/virtual_memory.h"

namespace tarn::sites {

namespace {

constexpr std::size_t pages_bytes = sizeof(heap::RecordedPages);

Recorder& of(void* context) noexcept { return *static_cast<Recorder*>(context); }

}  // namespace

bool Recorder::open(const RecorderOptions& options) noexcept {
  void* const memory = os::map(base::round_up(pages_bytes, os::page_size()), os::page_size());
  if (memory == nullptr) {
    return false;
  }
  if (!table_.open()) {
    os::release(memory, base::round_up(pages_bytes, os::page_size()));
    return false;
  }
  // Zeroes, as they came: constructing would touch every page.
  pages_ = static_cast<heap::RecordedPages*>(memory);
  options_ = options;
  sampler_ = PoissonSampler(options.rate, options.seed);
  mutex_.enlist();
  observer_ = {
      .context = this,
      .pages = pages_,
      .next_gap = [](void* context) noexcept -> std::int64_t { return of(context).next_gap(); },
      .allocated = [](void* context, const void* block, std::size_t size, std::size_t counted,
                      Domain domain) noexcept -> void {
        of(context).allocated(block, size, counted, domain);
      },
      .grown = [](void* context, const void* block, std::size_t size, std::size_t growth,
                  Domain domain, bool record) noexcept -> void {
        of(context).grown(block, size, growth, domain, record);
      },
      .take_out = [](void* context, const void* block, heap::RecordedBlock& record) noexcept
      -> bool { return of(context).take_out(block, record); },
      .put_in = [](void* context, const void* block, const heap::RecordedBlock& record) noexcept
      -> void { of(context).put_in(block, record); },
  };
  return true;
}

void Recorder::close() noexcept {
  if (pages_ != nullptr) {
    mutex_.leave();
    blocks_.close();
    table_.close();
    os::release(pages_, base::round_up(pages_bytes, os::page_size()));
    pages_ = nullptr;
  }
}

std::int64_t Recorder::next_gap() noexcept {
  const os::Locked locked(mutex_);
  return sampler_.next_gap();
}

std::uint32_t Recorder::site_here(Domain domain) noexcept {
  table_.begin_stack(options_.most_frames);
  if (options_.walk_stack != nullptr) {
    options_.walk_stack(table_, domain);
  }
  ++samples_;
  return table_.end_stack();
}

void Recorder::follow(const RecordedBlocks::Entry& entry) noexcept {
  const auto* const block = reinterpret_cast<const void*>(entry.address);
  const std::size_t before = blocks_.size();
  if (!blocks_.insert(entry)) {
    ++not_followed_;
  } else if (blocks_.size() != before) {
    pages_->add(block);
  }
}

void Recorder::allocated(const void* block, std::size_t size, std::size_t counted,
                         Domain domain) noexcept {
  const os::Locked locked(mutex_);
  const std::uint32_t number = site_here(domain);
  Site& site = table_.site(number);
  const double weight = sampler_.weight(counted);
  site.allocated_bytes += weight * static_cast<double>(size);
  site.allocated_blocks += weight;
  ++site.samples;
  follow({base::address_of(block), size, counted, number, static_cast<std::uint32_t>(domain)});
}

void Recorder::grown(const void* block, std::size_t size, std::size_t growth, Domain domain,
                     bool record) noexcept {
  const os::Locked locked(mutex_);
  const std::uint32_t number = site_here(domain);
  Site& site = table_.site(number);
  site.allocated_bytes += sampler_.weight(growth) * static_cast<double>(growth);
  ++site.samples;
  if (record) {
    follow({base::address_of(block), size, size, number, static_cast<std::uint32_t>(domain)});
  }
}

bool Recorder::take_out(const void* block, heap::RecordedBlock& record) noexcept {
  const os::Locked locked(mutex_);
  RecordedBlocks::Entry entry;
  if (!blocks_.remove(base::address_of(block), entry)) {
    return false;
  }
  pages_->remove(block);
  record = {entry.size, entry.counted, entry.site, static_cast<Domain>(entry.domain)};
  return true;
}

void Recorder::put_in(const void* block, const heap::RecordedBlock& record) noexcept {
  const os::Locked locked(mutex_);
  follow({base::address_of(block), record.size, record.counted, record.site,
          static_cast<std::uint32_t>(record.domain)});
}

const RecordedBlocks::Entry* Recorder::find(const void* block) const noexcept {
  return blocks_.find(base::address_of(block));
}

void Recorder::verify() noexcept {
  const os::Locked locked(mutex_);
  table_.verify();
  blocks_.verify();
  blocks_.for_each([&](const RecordedBlocks::Entry& entry) {
    TARN_CHECK(pages_->has(reinterpret_cast<const void*>(entry.address)), ==, true,
               "S1: a recorded block's page says so");
    TARN_CHECK(entry.site, <, table_.site_count(), "a recorded block's site is known");
  });
}

}  // namespace tarn::sites
