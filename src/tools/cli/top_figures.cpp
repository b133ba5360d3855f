#include "tools/cli/top_figures.h"

#include <algorithm>
#include <cmath>

namespace tarn::cli {
namespace {

// Over which rates are taken: long enough to be read, short enough to be of now.
constexpr double rate_seconds = 3;
constexpr std::size_t most_turns = 64;

double ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

// Where the clock or the counter went back, there's no rate.
double rate(std::uint64_t now, std::uint64_t before, double seconds) {
  return seconds > 0 && now >= before ? static_cast<double>(now - before) / seconds : 0;
}

}  // namespace

TopOrder next(TopOrder order) {
  return order == TopOrder::size ? TopOrder::live
                                 : static_cast<TopOrder>(static_cast<int>(order) + 1);
}

const char* name_of(TopOrder order) {
  constexpr const char* names[] = {"live bytes", "blocks", "free bytes", "change", "size"};
  return names[static_cast<int>(order)];
}

TopResidency residency_of(const Report& report) {
  const std::uint64_t live =
      report.resident_live_raw + report.resident_live_mem + report.resident_live_obj;
  const auto less = [](std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; };
  TopResidency residency;
  residency.retained = less(report.resident_pools, live) + report.resident_large_kept;
  residency.pinned = less(report.resident_live_pages, live);
  return residency;
}

void TopHistory::add_resident(double time, std::uint64_t bytes) {
  figures_.resident = bytes;
  figures_.peak = std::max(figures_.peak, bytes);
  if (points_.empty() || time - points_.back().time >= step_seconds * 0.8) {
    points_.push_back({time, bytes, figures_.live});
  }
  while (!points_.empty() && points_.front().time < time - kept_seconds) {
    points_.pop_front();
  }
}

void TopHistory::add_pulse(double time, const Pulse& pulse) {
  turns_.push_back({time, pulse});
  if (turns_.size() > most_turns) {
    turns_.pop_front();
  }
  figures_.has_pulse = true;
  figures_.held = pulse.held;
  figures_.large_blocks = pulse.large_blocks;
  figures_.large_bytes = pulse.large_bytes;
  figures_.large_kept = pulse.large_kept;
  fill_tiers(pulse);
  count_classes();
  count_rates();
  if (!points_.empty()) {
    points_.back().live = figures_.live;
  }
}

// As many turns as it takes to look at every arena once; of each tier its own.
void TopHistory::count_classes() {
  const Pulse& last = turns_.back().pulse;
  struct Sum {
    TopClass size_class;
    double pools = 0;
    double blocks = 0;
    double unused = 0;
  };
  std::map<std::uint64_t, Sum> sums;
  figures_.is_estimate = false;
  for (std::size_t tier = 0; tier < last.tiers.size(); ++tier) {
    const Pulse::Tier& now = last.tiers[tier];
    figures_.is_estimate = figures_.is_estimate || now.sampled_arenas < now.arenas;
    const auto wanted = static_cast<double>(now.arenas);
    double looked_at = 0;
    double taken = 0;
    std::size_t first = turns_.size();
    while (first > 0 && looked_at < wanted) {
      const Pulse& pulse = turns_[--first].pulse;
      if (tier < pulse.tiers.size()) {
        looked_at += static_cast<double>(pulse.tiers[tier].sampled_arenas);
        taken += static_cast<double>(pulse.tiers[tier].sampled_taken);
      }
    }
    const double scale = ratio(static_cast<double>(now.pools_taken), taken);
    for (std::size_t i = first; i < turns_.size(); ++i) {
      for (const Pulse::SizeClass& of : turns_[i].pulse.classes) {
        if (of.tier == tier) {
          Sum& sum = sums[of.szidx];
          sum.size_class.block_size = of.block_size;
          sum.pools += static_cast<double>(of.pools) * scale;
          sum.blocks += static_cast<double>(of.allocated) * scale;
          sum.unused += static_cast<double>(of.free + of.untouched) * scale;
        }
      }
    }
  }
  figures_.classes.clear();
  figures_.blocks = figures_.large_blocks;
  std::map<std::uint64_t, std::uint64_t> live;
  for (auto& [szidx, sum] : sums) {
    TopClass& of = sum.size_class;
    of.pools = static_cast<std::uint64_t>(std::llround(sum.pools));
    of.blocks = static_cast<std::uint64_t>(std::llround(sum.blocks));
    of.live_bytes = of.blocks * of.block_size;
    of.free_bytes = static_cast<std::uint64_t>(std::llround(sum.unused)) * of.block_size;
    figures_.blocks += of.blocks;
    live[szidx] = of.live_bytes;
  }
  const double time = turns_.back().time;
  while (live_by_class_.size() > 1 && live_by_class_[1].first <= time - rate_seconds) {
    live_by_class_.pop_front();
  }
  for (auto& [szidx, sum] : sums) {
    if (!live_by_class_.empty()) {
      const auto& [then, before] = live_by_class_.front();
      const auto found = before.find(szidx);
      const double old = found == before.end() ? 0 : static_cast<double>(found->second);
      const double seconds = time - then;
      sum.size_class.change =
          seconds > 0 ? (static_cast<double>(sum.size_class.live_bytes) - old) / seconds : 0;
    }
    figures_.classes.push_back(sum.size_class);
  }
  // Not the meter's, which hears of an eighth of a pool's blocks at a time: when most have been freed here and there,
  // it's far too high.
  figures_.live = figures_.large_bytes;
  for (const auto& [szidx, bytes] : live) {
    figures_.live += bytes;
  }
  live_by_class_.emplace_back(time, std::move(live));
}

void TopHistory::fill_tiers(const Pulse& pulse) {
  figures_.tiers.clear();
  std::map<std::uint64_t, double> seen;
  for (const Pulse::Tier& of : pulse.tiers) {
    TopTier tier;
    tier.arenas = of.arenas;
    tier.arena_size = of.arena_size;
    double full = 0;
    for (const Pulse::Group& group : of.groups) {
      const auto known = fill_.find(group.address);
      double fill = 0;
      if (group.sampled != 0) {
        fill = ratio(static_cast<double>(group.live),
                     static_cast<double>(group.sampled * of.arena_size));
      } else if (known != fill_.end()) {
        fill = known->second;
      } else {
        // Not looked at yet: as full as its pools are taken.
        fill = ratio(static_cast<double>(group.pools_taken),
                     static_cast<double>(group.arenas * of.pools_per_arena));
      }
      if (group.sampled != 0 || known != fill_.end()) {
        seen[group.address] = fill;
      }
      tier.cells.push_back(std::clamp(fill, 0.0, 1.0));
      full += fill * static_cast<double>(group.arenas);
    }
    tier.full = std::clamp(ratio(full, static_cast<double>(of.arenas)), 0.0, 1.0);
    figures_.tiers.push_back(std::move(tier));
  }
  fill_ = std::move(seen);
}

void TopHistory::count_rates() {
  const Turn& now = turns_.back();
  const Turn* before = &now;
  for (auto turn = turns_.rbegin(); turn != turns_.rend() && now.time - turn->time <= rate_seconds;
       ++turn) {
    before = &*turn;
  }
  const double seconds = now.time - before->time;
  figures_.handed_out = rate(now.pulse.handed_out, before->pulse.handed_out, seconds);
  figures_.growth = seconds > 0 ? (static_cast<double>(now.pulse.allocated) -
                                   static_cast<double>(before->pulse.allocated)) /
                                      seconds
                                : 0;
  for (std::size_t i = 0; i < figures_.collections.size(); ++i) {
    const Pulse::Generation& of = now.pulse.generations[i];
    const Pulse::Generation& old = before->pulse.generations[i];
    figures_.collections[i] = {.per_second = rate(of.pauses, old.pauses, seconds),
                               .share = rate(of.total, old.total, seconds) / 1e9,
                               .longest = of.longest,
                               .collected = of.collected};
  }
}

TopFigures TopHistory::figures(TopOrder order) const {
  TopFigures figures = figures_;
  const auto key = [order](const TopClass& of) -> double {
    switch (order) {
      case TopOrder::blocks:
        return static_cast<double>(of.blocks);
      case TopOrder::free:
        return static_cast<double>(of.free_bytes);
      case TopOrder::change:
        return std::abs(of.change);
      case TopOrder::size:
        return static_cast<double>(of.block_size);
      default:
        return static_cast<double>(of.live_bytes);
    }
  };
  std::ranges::stable_sort(figures.classes,
                           [&](const TopClass& a, const TopClass& b) { return key(a) > key(b); });
  for (const Point& point : points_) {
    figures.resident_history.push_back(point.resident);
    figures.live_history.push_back(point.live);
  }
  return figures;
}

}  // namespace tarn::cli
