#include "alloc/span_set.h"

#include <bit>

#include "base/assert.h"
#include "os/virtual_memory.h"

namespace tarn::alloc {

namespace {

constexpr std::size_t commit_step = std::size_t{4} << 20;
constexpr std::size_t least_trimmed = std::size_t{16} << 20;
constexpr std::size_t large_page = std::size_t{2} << 20;

}  // namespace

std::size_t SpanSet::page() noexcept { return os::page_size(); }

bool SpanSet::open(std::size_t bytes) noexcept {
  shift_ = base::shift_of(os::page_size());
  const std::size_t most = std::size_t{none - 1} << shift_;
  bytes = bytes < most ? base::round_up(bytes, commit_step) : base::round_down(most, commit_step);
  const std::size_t pages = bytes >> shift_;
  void* const start =
      os::reserve(bytes + base::round_up(pages * sizeof(Span), os::page_size()), large_page);
  if (start == nullptr) {
    return false;
  }
  base_ = base::address_of(start);
  span_ = bytes;
  spans_ = reinterpret_cast<Span*>(base_ + bytes);
  capacity_ = static_cast<std::uint32_t>(pages);
  return true;
}

void SpanSet::close() noexcept {
  if (base_ != 0) {
    const std::size_t descriptors = base::round_up(capacity_ * sizeof(Span), os::page_size());
    if (!is_cut_) {
      os::release(reinterpret_cast<void*>(base_), span_ + descriptors);
    } else if (capacity_ != 0) {
      os::release(reinterpret_cast<void*>(base_), span_);
      os::release(spans_, descriptors);
    }
  }
  *this = SpanSet();
}

std::size_t SpanSet::give_up_unused() noexcept {
  if (is_cut_ || span_ == 0) {
    return 0;
  }
  const std::size_t kept = committed_bytes();
  const std::size_t kept_descriptors = descriptor_bytes();
  const std::size_t descriptors = base::round_up(capacity_ * sizeof(Span), os::page_size());
  const std::size_t unused = span_ - kept + descriptors - kept_descriptors;
  if (kept != span_) {
    os::release(reinterpret_cast<void*>(base_ + kept), span_ - kept);
  }
  if (kept_descriptors != descriptors) {
    os::release(reinterpret_cast<std::byte*>(spans_) + kept_descriptors,
                descriptors - kept_descriptors);
  }
  span_ = kept;
  capacity_ = high_water_;
  is_cut_ = true;
  return unused;
}

SpanSet::SpanSet() noexcept {
  for (List& list : lists_) {
    for (std::uint32_t& head : list.heads) {
      head = none;
    }
  }
}

std::uint32_t SpanSet::bin_of(std::uint32_t pages) noexcept {
  if (pages < 16) {
    return pages;
  }
  const auto width = static_cast<std::uint32_t>(std::bit_width(pages));
  return 16 + (width - 5) * 8 + ((pages >> (width - 4)) & 7U);
}

std::uint32_t SpanSet::pages_of(std::size_t bytes) const noexcept {
  const std::size_t pages = (bytes >> shift_) + ((bytes & (page() - 1)) != 0 ? 1 : 0);
  return pages > capacity_ ? 0 : static_cast<std::uint32_t>(pages);
}

std::size_t SpanSet::descriptor_bytes() const noexcept {
  return base::round_up(high_water_ * sizeof(Span), page());
}

void SpanSet::set(std::uint32_t first, std::uint32_t pages, SpanState state) noexcept {
  spans_[first].pages = pages;
  spans_[first].state = state;
  spans_[first + pages - 1].pages = pages;
  spans_[first + pages - 1].state = state;
}

void SpanSet::erase_border(std::uint32_t at) noexcept {
  spans_[at - 1].state = SpanState::none;
  spans_[at].state = SpanState::none;
}

void SpanSet::link(std::uint32_t first) noexcept {
  Span& span = spans_[first];
  List& list = lists_[list_of(span.state)];
  const std::uint32_t bin = bin_of(span.pages);
  span.previous = none;
  span.next = list.heads[bin];
  if (span.next != none) {
    spans_[span.next].previous = first;
  }
  list.heads[bin] = first;
  list.has[bin / 64] |= std::uint64_t{1} << (bin % 64);
  if (span.state == SpanState::dirty) {
    counters_.dirty_bytes += std::size_t{span.pages} << shift_;
  }
}

void SpanSet::unlink(std::uint32_t first) noexcept {
  const Span& span = spans_[first];
  List& list = lists_[list_of(span.state)];
  if (span.next != none) {
    spans_[span.next].previous = span.previous;
  }
  if (span.previous != none) {
    spans_[span.previous].next = span.next;
  } else {
    const std::uint32_t bin = bin_of(span.pages);
    list.heads[bin] = span.next;
    if (span.next == none) {
      list.has[bin / 64] &= ~(std::uint64_t{1} << (bin % 64));
    }
  }
  if (span.state == SpanState::dirty) {
    counters_.dirty_bytes -= std::size_t{span.pages} << shift_;
  }
}

std::uint32_t SpanSet::put(std::uint32_t first, std::uint32_t pages, SpanState state,
                           std::uint16_t freed_at) noexcept {
  // The age of a joined span is the mean over its pages: one that is reused at its edge all the time still
  // grows old, and a small old one doesn't make a large young one old.
  std::uint64_t age = static_cast<std::uint16_t>(now_ - freed_at);
  const auto join = [&](std::uint32_t with) {
    const Span& other = spans_[with];
    const std::uint64_t of_other = static_cast<std::uint16_t>(now_ - other.freed_at);
    age = (age * pages + of_other * other.pages) / (std::uint64_t{pages} + other.pages);
    unlink(with);
    pages += other.pages;
  };
  if (const std::uint32_t end = first + pages; end < high_water_ && spans_[end].state == state) {
    join(end);
    erase_border(end);
  }
  if (first != 0 && spans_[first - 1].state == state) {
    const std::uint32_t before = first - spans_[first - 1].pages;
    join(before);
    erase_border(first);
    first = before;
  }
  set(first, pages, state);
  spans_[first].freed_at = static_cast<std::uint16_t>(now_ - age);
  link(first);
  return first;
}

// The first of its own bin that fits, of a few; else any of the next bin that has one.
std::uint32_t SpanSet::find(int which, std::uint32_t pages) const noexcept {
  constexpr int most_looked_at = 8;
  const List& list = lists_[which];
  const std::uint32_t bin = bin_of(pages);
  std::uint32_t index = list.heads[bin];
  for (int i = 0; i < most_looked_at && index != none; ++i, index = spans_[index].next) {
    if (spans_[index].pages >= pages) {
      return index;
    }
  }
  std::size_t word = (bin + 1) / 64;
  std::uint64_t has = list.has[word] & (~std::uint64_t{0} << ((bin + 1) % 64));
  while (has == 0) {
    if (++word == words) {
      return none;
    }
    has = list.has[word];
  }
  return list.heads[word * 64 + static_cast<std::size_t>(std::countr_zero(has))];
}

// The first pages of a free span become a block; what remains is as it was.
std::byte* SpanSet::take(std::uint32_t first, std::uint32_t pages, Domain domain) noexcept {
  const Span span = spans_[first];
  unlink(first);
  set(first, pages, SpanState::live);
  spans_[first].domain = domain;
  if (span.pages != pages) {
    set(first + pages, span.pages - pages, span.state);
    spans_[first + pages].freed_at = span.freed_at;
    link(first + pages);
  }
  ++counters_.live;
  counters_.live_bytes += std::size_t{pages} << shift_;
  return address_of(first);
}

std::byte* SpanSet::allocate_dirty(std::size_t bytes, Domain domain) noexcept {
  const std::uint32_t pages = pages_of(bytes);
  if (pages == 0) {
    return nullptr;
  }
  const std::uint32_t first = find(dirty_list, pages);
  return first == none ? nullptr : take(first, pages, domain);
}

std::byte* SpanSet::allocate_clean(std::size_t bytes, Domain domain) noexcept {
  const std::uint32_t pages = pages_of(bytes);
  if (pages == 0) {
    return nullptr;
  }
  std::uint32_t first = find(clean_list, pages);
  if (first == none) {
    const bool ends_clean = high_water_ != 0 && spans_[high_water_ - 1].state == SpanState::clean;
    const std::uint32_t there = ends_clean ? spans_[high_water_ - 1].pages : 0;
    // It may be large enough: not all of a bin are looked at.
    if (there < pages && !grow(pages - there)) {
      return nullptr;
    }
    first = high_water_ - spans_[high_water_ - 1].pages;
  }
  return take(first, pages, domain);
}

bool SpanSet::grow(std::uint32_t pages) noexcept {
  const std::uint32_t left = capacity_ - high_water_;
  if (pages > left) {
    return false;
  }
  const auto step = static_cast<std::uint32_t>(commit_step >> shift_);
  const std::uint32_t in_steps = (pages + step - 1) / step * step;
  const std::uint32_t more = in_steps < left ? in_steps : left;
  const std::uintptr_t first = base::address_of(spans_ + high_water_);
  const std::uintptr_t start = base::round_down(first, page());
  const std::uintptr_t end = base::round_up(first + more * sizeof(Span), page());
  if (!os::commit(reinterpret_cast<void*>(start), end - start) ||
      !os::commit(address_of(high_water_), std::size_t{more} << shift_)) {
    return false;
  }
  const std::uint32_t at = high_water_;
  high_water_ += more;
  put(at, more, SpanState::clean, now_);
  return true;
}

bool SpanSet::resize(void* address, std::size_t bytes, Rest rest) noexcept {
  const std::uint32_t first = index_of(address);
  const std::uint32_t old = spans_[first].pages;
  const std::uint32_t pages = pages_of(bytes);
  if (pages == 0) {
    return false;
  }
  if (pages < old) {
    const std::size_t less = std::size_t{old - pages} << shift_;
    const bool are_gone = rest == Rest::discarded && os::discard(address_of(first + pages), less);
    set(first, pages, SpanState::live);
    put(first + pages, old - pages, are_gone ? SpanState::clean : SpanState::dirty, now_);
    counters_.live_bytes -= less;
    return true;
  }
  const std::uint32_t end = first + pages;
  std::uint32_t at = first + old;
  if (end > capacity_ || end < first) {
    return false;
  }
  while (at < end && at < high_water_ &&
         (spans_[at].state == SpanState::dirty || spans_[at].state == SpanState::clean)) {
    at += spans_[at].pages;
  }
  if (at < end && (at != high_water_ || !grow(end - high_water_))) {
    return false;
  }
  for (at = first + old; at < end;) {
    const Span span = spans_[at];
    unlink(at);
    erase_border(at);
    const std::uint32_t behind = at + span.pages;
    if (behind > end) {
      set(end, behind - end, span.state);
      spans_[end].freed_at = span.freed_at;
      link(end);
    }
    at = behind;
  }
  set(first, pages, SpanState::live);
  counters_.live_bytes += std::size_t{pages - old} << shift_;
  return true;
}

bool SpanSet::is_block(const void* address) const noexcept {
  const std::uint32_t first = index_of(address);
  if (address != address_of(first) || first >= high_water_ ||
      spans_[first].state != SpanState::live || spans_[first].pages > high_water_ - first) {
    return false;
  }
  // S2. A block's last page is no start.
  const Span& last = spans_[first + spans_[first].pages - 1];
  return last.state == SpanState::live && last.pages == spans_[first].pages;
}

std::uint32_t SpanSet::end_life(const void* address) noexcept {
  TARN_CHECK(is_block(address), ==, true,
             "a large block is freed once, at the address where it starts");
  const std::uint32_t pages = spans_[index_of(address)].pages;
  --counters_.live;
  counters_.live_bytes -= std::size_t{pages} << shift_;
  return pages;
}

void SpanSet::free(void* address) noexcept {
  const std::uint32_t first = index_of(address);
  put(first, end_life(address), SpanState::dirty, now_);
}

void SpanSet::free_and_discard(void* address) noexcept {
  const std::uint32_t first = index_of(address);
  const std::uint32_t pages = end_life(address);
  const bool are_gone = os::discard(address, std::size_t{pages} << shift_);
  put(first, pages, are_gone ? SpanState::clean : SpanState::dirty, now_);
}

void SpanSet::send_away(std::uint32_t first, std::uint32_t pages) noexcept {
  const Span span = spans_[first];
  unlink(first);
  if (pages < span.pages) {
    set(first, span.pages - pages, SpanState::dirty);
    link(first);
    first += span.pages - pages;
  }
  set(first, pages, SpanState::away);
  counters_.away_bytes += std::size_t{pages} << shift_;
}

void SpanSet::come_back(void* address, bool are_gone) noexcept {
  const std::uint32_t first = index_of(address);
  const std::uint32_t pages = spans_[first].pages;
  counters_.away_bytes -= std::size_t{pages} << shift_;
  put(first, pages, are_gone ? SpanState::clean : SpanState::dirty, now_);
}

std::size_t SpanSet::discard_dirty(std::size_t bytes) noexcept {
  std::size_t done = 0;
  while (done < bytes) {
    std::uint32_t bin = bins;
    while (bin-- != 0 && lists_[dirty_list].heads[bin] == none) {
    }
    if (bin == UINT32_MAX) {
      break;
    }
    const std::uint32_t first = lists_[dirty_list].heads[bin];
    std::uint32_t pages = spans_[first].pages;
    if (const std::uint32_t wanted = pages_of(bytes - done); wanted != 0 && wanted < pages) {
      pages = wanted;
    }
    const std::uint32_t end = first + spans_[first].pages;
    send_away(first, pages);
    const bool are_gone = os::discard(address_of(end - pages), std::size_t{pages} << shift_);
    come_back(address_of(end - pages), are_gone);
    if (!are_gone) {
      break;
    }
    done += std::size_t{pages} << shift_;
  }
  return done;
}

void SpanSet::trim() noexcept {
  if (high_water_ == 0 || spans_[high_water_ - 1].state != SpanState::clean) {
    return;
  }
  const std::uint32_t pages = spans_[high_water_ - 1].pages;
  const std::uint32_t first = high_water_ - pages;
  const auto step = static_cast<std::uint32_t>(commit_step >> shift_);
  const std::uint32_t keep = (first + step - 1) / step * step;
  if (keep > high_water_ || std::size_t{high_water_ - keep} << shift_ < least_trimmed) {
    return;
  }
  unlink(first);
  os::decommit(address_of(keep), std::size_t{high_water_ - keep} << shift_);
  const std::uintptr_t start = base::round_up(base::address_of(spans_ + keep), page());
  const std::uintptr_t end = base::round_up(base::address_of(spans_ + high_water_), page());
  if (start < end) {
    os::decommit(reinterpret_cast<void*>(start), end - start);
  }
  high_water_ = keep;
  if (first != keep) {
    set(first, keep - first, SpanState::clean);
    link(first);
  }
}

void SpanSet::verify() const noexcept {
  Counters found;
  std::size_t in_bins = 0;
  SpanState before = SpanState::none;
  std::uint32_t index = 0;
  while (index < high_water_) {
    const Span& span = spans_[index];
    TARN_CHECK(span.pages, !=, 0U, "S1: a span has a page");
    TARN_CHECK(span.pages, <=, high_water_ - index, "S1: spans end at high_water");
    const Span& last = spans_[index + span.pages - 1];
    TARN_CHECK(last.state, ==, span.state, "S2: first and last page agree in state");
    TARN_CHECK(last.pages, ==, span.pages, "S2: first and last page agree in pages");
    for (std::uint32_t within = 1; within + 1 < span.pages; ++within) {
      TARN_CHECK(spans_[index + within].state, !=, SpanState::live,
                 "S5: no block starts within a span");
    }
    const std::size_t bytes = std::size_t{span.pages} << shift_;
    switch (span.state) {
      case SpanState::live:
        ++found.live;
        found.live_bytes += bytes;
        break;
      case SpanState::dirty:
        found.dirty_bytes += bytes;
        ++in_bins;
        break;
      case SpanState::clean:
        ++in_bins;
        break;
      case SpanState::away:
        found.away_bytes += bytes;
        break;
      case SpanState::none:
        TARN_CHECK(span.state, !=, SpanState::none, "S1: a span has a state");
    }
    const bool joins = span.state == SpanState::dirty || span.state == SpanState::clean;
    TARN_CHECK(joins && before == span.state, ==, false, "S3: free neighbours of a kind are one");
    before = span.state;
    index += span.pages;
  }
  TARN_CHECK(found.live, ==, counters_.live, "as many blocks as counted");
  TARN_CHECK(found.live_bytes, ==, counters_.live_bytes, "as many live bytes as counted");
  TARN_CHECK(found.dirty_bytes, ==, counters_.dirty_bytes, "as many dirty bytes as counted");
  TARN_CHECK(found.away_bytes, ==, counters_.away_bytes, "as many bytes away as counted");
  for (int list = 0; list < 2 && span_ != 0; ++list) {
    for (std::uint32_t bin = 0; bin < bins; ++bin) {
      std::uint32_t previous = none;
      for (std::uint32_t at = lists_[list].heads[bin]; at != none; at = spans_[at].next) {
        TARN_CHECK(at, <, high_water_, "S4: a bin holds spans");
        TARN_CHECK(spans_[at].state, ==, list == dirty_list ? SpanState::dirty : SpanState::clean,
                   "S4: a bin's spans are of its kind");
        TARN_CHECK(bin_of(spans_[at].pages), ==, bin, "S4: a bin's spans are of its size");
        TARN_CHECK(spans_[at].previous, ==, previous, "S4: links agree in both directions");
        previous = at;
        TARN_CHECK(in_bins, !=, 0U, "S4: a span is in one bin once");
        --in_bins;
      }
      TARN_CHECK((lists_[list].has[bin / 64] >> (bin % 64)) & 1U, ==, previous != none ? 1U : 0U,
                 "S4: the bit tells whether the bin holds any");
    }
  }
  TARN_CHECK(in_bins, ==, 0U, "S4: every free span is in a bin");
}

}  // namespace tarn::alloc
