#include "integrations/python/pulse.h"

#include <ctime>
#include <initializer_list>

#include <unistd.h>

#include "integrations/python/hook.h"
#include "integrations/python/pacer.h"

namespace tarn::python {

namespace {

using heap::Pulse;

std::uint64_t now() noexcept {
  timespec time = {};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

void numbers(base::Message& message, std::initializer_list<std::size_t> values) noexcept {
  for (const std::size_t value : values) {
    message.text(" ").number(value);
  }
  message.text("\n");
}

void write_tier(Lines& lines, std::size_t index, const Pulse::Tier& tier) noexcept {
  base::Message line;
  line.text("tier");
  numbers(line, {index, tier.arena_size, tier.pool_size, tier.pools_per_arena, tier.arenas,
                 tier.pools_taken, tier.sampled_arenas, tier.sampled_taken});
  lines.add(line);
  for (std::size_t i = 0; i < tier.group_count; ++i) {
    const Pulse::Group& group = tier.groups[i];
    base::Message words;
    words.text("arena ").number(index).text(" ").address(group.address);
    numbers(words, {group.arenas, group.pools_taken, group.sampled, group.live});
    lines.add(words);
  }
}

}  // namespace

void take_pulse(PulseFigures& figures) noexcept {
  const std::uint64_t begun = now();
  figures.heap.clear(figures.heap.turn + 1);
  hook.heap->operations->take_pulse(*hook.heap, figures.heap);
  figures.allocated = hook.heap->meter.allocated;
  figures.handed_out = hook.heap->meter.handed_out;
  if (hook.raw_heap != nullptr) {
    hook.raw_heap->operations->take_pulse(*hook.raw_heap, figures.heap);
    figures.allocated += hook.raw_heap->meter.allocated;
    figures.handed_out += hook.raw_heap->meter.handed_out;
  }
  figures.held = now() - begun;
}

void write_pulse_lines(Lines& lines, const PulseFigures& figures) noexcept {
  const Pulse& pulse = figures.heap;
  lines.number("tarn-pulse", 1);
  lines.number("pid", static_cast<std::uint64_t>(::getpid()));
  lines.number("turn", pulse.turn);
  lines.number("held", figures.held);
  lines.number("allocated", figures.allocated);
  lines.number("handed_out", figures.handed_out);
  lines.number("large_blocks", pulse.large.blocks);
  lines.number("large_bytes", pulse.large.bytes);
  lines.number("large_kept", pulse.large.kept_bytes);
  for (std::size_t i = 0; i < Pulse::most_tiers; ++i) {
    if (pulse.tiers[i].arena_size != 0) {
      write_tier(lines, i, pulse.tiers[i]);
    }
  }
  for (std::size_t szidx = 0; szidx < size_class_limit; ++szidx) {
    const Pulse::SizeClass& of_class = pulse.classes[szidx];
    if (of_class.pools != 0) {
      base::Message line;
      line.text("class");
      numbers(line, {of_class.tier, szidx, of_class.block_size, of_class.pools, of_class.allocated,
                     of_class.free, of_class.untouched});
      lines.add(line);
    }
  }
  write_pacing_lines(lines);
  lines.end();
}

}  // namespace tarn::python
