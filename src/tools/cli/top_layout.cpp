#include "tools/cli/top_layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

// From empty to full. In ASCII each is darker than the one before.
constexpr const char* unicode_heights[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr const char* ascii_heights[] = {" ", "_", ".", "-", "~", "=", "+", "*", "#"};
constexpr const char* unicode_shades[] = {"·", "░", "▒", "▓", "█"};
constexpr const char* ascii_shades[] = {".", ":", "o", "O", "#"};
constexpr std::size_t top_height = 8;
constexpr std::size_t label_columns = 12;

std::size_t columns_of_text(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char byte) { return (byte & 0xc0) != 0x80; }));
}

// The first columns of a text.
std::string_view cut(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  for (std::size_t seen = 0; at < text.size(); ++at) {
    if ((text[at] & 0xc0) != 0x80 && seen++ == columns) {
      break;
    }
  }
  return text.substr(0, at);
}

void fit(ScreenLine& line, std::size_t width) {
  std::size_t left = width;
  for (Span& span : line) {
    span.text = cut(span.text, left);
    left -= columns_of_text(span.text);
  }
}

// To the width of the screen, in the last span's tone.
void fill_up(ScreenLine& line, std::size_t width, std::string_view right = {}) {
  const std::size_t used = columns_of(line) + columns_of_text(right);
  if (used <= width) {
    line.back().text += std::string(width - used, ' ');
    line.back().text += right;
  }
}

std::string amount(std::uint64_t bytes) {
  // Always one decimal above bytes, so that the columns hold still.
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < std::size(units)) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

std::string speed(double bytes) {
  return amount(static_cast<std::uint64_t>(std::abs(bytes))) + "/s";
}
std::string signed_speed(double bytes) {
  const std::string text = speed(bytes);
  return std::abs(bytes) < 1 ? text : (bytes < 0 ? "-" : "+") + text;
}

std::string often(double per_second) {
  if (per_second >= 10) {
    return fmt::format("{:.0f}/s", per_second);
  }
  return per_second >= 0.995 ? fmt::format("{:.1f}/s", per_second)
                             : fmt::format("{:.0f}/min", per_second * 60);
}

std::string duration(double seconds) {
  if (seconds < 0.001) {
    return fmt::format("{:.0f} us", seconds * 1e6);
  }
  return seconds < 1 ? fmt::format("{:.1f} ms", seconds * 1e3) : fmt::format("{:.1f} s", seconds);
}

std::string age(double seconds) {
  return seconds < 120 ? fmt::format("{:.0f} s ago", std::max(seconds, 0.0))
                       : fmt::format("{:.0f} min ago", seconds / 60);
}

std::string percent(double share) {
  return share > 0 && share < 0.095 ? fmt::format("{:.1f} %", share * 100)
                                    : fmt::format("{:.0f} %", share * 100);
}

double gc_share(const TopFigures& figures) {
  double share = 0;
  for (const TopCollections& of : figures.collections) {
    share += of.share;
  }
  return share;
}

ScreenLine labelled(std::string_view label) {
  return {{fmt::format("{:<{}}", label, label_columns), Tone::dim}};
}

class Layout {
 public:
  Layout(const TopFigures& figures, const TopScreen& screen, std::size_t width, std::size_t height,
         Glyphs glyphs)
      : figures_(figures), screen_(screen), width_(width), height_(height), glyphs_(glyphs) {}

  std::vector<ScreenLine> lines() {
    add_heading();
    if (screen_.shows_help) {
      add_help();
    } else {
      add_body();
    }
    lines_.resize(std::min(lines_.size(), height_ > 1 ? height_ - 1 : height_));
    if (height_ > 1) {
      lines_.resize(height_ - 1);
      lines_.push_back(keys());
    }
    for (ScreenLine& line : lines_) {
      fit(line, width_);
    }
    return std::move(lines_);
  }

 private:
  void add_heading() {
    ScreenLine line{
        {fmt::format(" tarn top  {} ({})", shorten(screen_.name, 30), screen_.pid), Tone::inverse}};
    fill_up(line, width_, screen_.clock + " ");
    lines_.push_back(std::move(line));
    if (!screen_.trouble.empty()) {
      lines_.push_back({{" " + screen_.trouble, Tone::bad}});
    } else if (!screen_.message.empty()) {
      lines_.push_back({{" " + screen_.message, Tone::good}});
    } else {
      lines_.emplace_back();
    }
  }

  void add_help() {
    for (const char* const line :
         {"q  leave                          s  sort the size classes by the next column",
          "n  write a snapshot to a file     r  have the process give back what can go",
          "m  measure what is retained, now  h  this help; any other key leaves it", "",
          "resident   what the kernel counts as the process's memory (RSS)",
          "live       bytes in allocated blocks, as Tarn counts them",
          "retained   resident memory of Tarn's that holds no live block",
          "pinned     the part of it in pages with a live block: it can't go back",
          "arenas     the chunks that Tarn takes from the system; a cell is one of them,",
          "           or some neighbours: the denser, the more of it is in live blocks", "",
          "Measuring what is retained stops the process, about 0.15 s for each GiB; by",
          "itself top does it only where that takes less than 50 ms. A ~ marks an",
          "estimate: a part of the arenas is looked at each time."}) {
      lines_.push_back({{fmt::format(" {}", line)}});
    }
  }

  void add_bar(std::string_view label, std::uint64_t bytes, Tone tone,
               const std::vector<std::uint64_t>& history) {
    ScreenLine line = labelled(label);
    line.push_back({fmt::format("{:>10}  ", amount(bytes)), Tone::bright});
    const std::size_t used = columns_of(line);
    const std::size_t left = width_ > used + 8 ? width_ - used - 2 : 6;
    const std::size_t cells = left / 2;
    const std::uint64_t top = std::max(figures_.peak, figures_.live);
    line.push_back(
        {bar(static_cast<double>(bytes), static_cast<double>(top), cells, glyphs_), tone});
    line.push_back({"  "});
    line.push_back({sparkline(history, top, left - cells, glyphs_), tone});
    lines_.push_back(std::move(line));
  }

  void add_tier(std::string_view label, const TopTier& tier) {
    ScreenLine line = labelled(label);
    line.push_back(
        {fmt::format("{:>6} x {:<7}", count_text(tier.arenas), bytes_text(tier.arena_size))});
    line.push_back({fmt::format("{:>6} full  ", percent(tier.full)), Tone::bright});
    const std::size_t used = columns_of(line);
    const std::size_t cells = width_ > used + 10 ? width_ - used : 10;
    for (const double full : to_cells(tier.cells, cells)) {
      constexpr std::size_t shades = std::size(unicode_shades);
      const auto shade = std::min(static_cast<std::size_t>(full * shades), shades - 1);
      const Tone tone = full >= 0.75 ? Tone::good : full >= 0.25 ? Tone::middling : Tone::bad;
      const char* const text =
          glyphs_ == Glyphs::unicode ? unicode_shades[shade] : ascii_shades[shade];
      if (line.back().tone == tone) {
        line.back().text += text;
      } else {
        line.push_back({text, tone});
      }
    }
    lines_.push_back(std::move(line));
  }

  void add_retained() {
    ScreenLine line = labelled("retained");
    if (!figures_.residency) {
      line.push_back(
          {"not measured yet: m stops the process for it, 0.15 s for each GiB", Tone::dim});
    } else {
      const TopResidency& of = *figures_.residency;
      line.push_back({fmt::format("{:>10}", amount(of.retained)), Tone::bright});
      line.push_back({fmt::format("  of it pinned {}, ", amount(of.pinned))});
      line.push_back(
          {fmt::format("measured {} in {}", age(screen_.now - of.time), duration(of.seconds)),
           Tone::dim});
    }
    lines_.push_back(std::move(line));
  }

  void add_rates() {
    ScreenLine line = labelled("allocation");
    line.push_back({fmt::format("{:>12}", speed(figures_.handed_out)), Tone::bright});
    line.push_back({fmt::format("  live {}  {}{} blocks", signed_speed(figures_.growth),
                                figures_.is_estimate ? "~" : "", count_text(figures_.blocks))});
    lines_.push_back(std::move(line));
    line = labelled("collection");
    const auto& [young, middle, full] = figures_.collections;
    line.push_back({fmt::format("{:>7} of time", percent(gc_share(figures_))), Tone::bright});
    line.push_back({fmt::format(
        "  young {}, middle {}, full {}, max {}", often(young.per_second), often(middle.per_second),
        often(full.per_second),
        duration(static_cast<double>(std::max({young.longest, middle.longest, full.longest})) /
                 1e9))});
    lines_.push_back(std::move(line));
  }

  void add_body() {
    add_bar("resident", figures_.resident, Tone::middling, figures_.resident_history);
    if (!figures_.has_pulse) {
      lines_.push_back({{"no figures yet", Tone::dim}});
      return;
    }
    add_bar("live", figures_.live, Tone::good, figures_.live_history);
    add_retained();
    add_rates();
    lines_.emplace_back();
    constexpr const char* names[] = {"small", "medium"};
    for (std::size_t i = 0; i < figures_.tiers.size() && i < std::size(names); ++i) {
      add_tier(figures_.tiers.size() == 1 ? "arenas" : names[i], figures_.tiers[i]);
    }
    ScreenLine large = labelled("large");
    large.push_back({fmt::format("{:>6} {}", count_text(figures_.large_blocks),
                                 figures_.large_blocks == 1 ? "block " : "blocks")});
    large.push_back({fmt::format("  {}", amount(figures_.large_bytes)), Tone::bright});
    large.push_back(
        {fmt::format("  {} of freed ones kept", amount(figures_.large_kept)), Tone::dim});
    lines_.push_back(std::move(large));
    lines_.emplace_back();
    add_classes();
  }

  void add_classes() {
    const auto mark = [this](TopOrder order, const char* name) {
      return screen_.order == order
                 ? fmt::format("{}{}", glyphs_ == Glyphs::unicode ? "▾" : "*", name)
                 : std::string(name);
    };
    // fmt counts columns of UTF-8 text as a terminal does.
    lines_.push_back(
        {{fmt::format("{:>10} {:>9} {:>13} {:>12} {:>12} {:>6} {:>12}",
                      mark(TopOrder::size, "size"), "pools", mark(TopOrder::blocks, "live blocks"),
                      mark(TopOrder::live, "live bytes"), mark(TopOrder::free, "free bytes"),
                      "full", mark(TopOrder::change, "change")),
          Tone::inverse}});
    fill_up(lines_.back(), width_);
    const char* const about = figures_.is_estimate ? "~" : "";
    for (const TopClass& of : figures_.classes) {
      if (lines_.size() + 1 >= height_) {
        break;
      }
      const double whole = static_cast<double>(of.live_bytes) + static_cast<double>(of.free_bytes);
      const double full = whole > 0 ? static_cast<double>(of.live_bytes) / whole : 0;
      lines_.push_back(
          {{fmt::format("{:>10} {:>9}", bytes_text(of.block_size), about + count_text(of.pools))},
           {fmt::format(" {:>13} {:>12}", about + count_text(of.blocks), amount(of.live_bytes)),
            Tone::bright},
           {fmt::format(" {:>12}", amount(of.free_bytes))},
           {fmt::format(" {:>6}", percent(full)), full >= 0.75   ? Tone::good
                                                  : full >= 0.25 ? Tone::middling
                                                                 : Tone::bad},
           {fmt::format(" {:>12}", signed_speed(of.change))}});
    }
  }

  [[nodiscard]] ScreenLine keys() const {
    ScreenLine line{{" ", Tone::inverse}};
    for (const char* const key :
         {"q leave", "s sort", "n snapshot", "r release", "m measure", "h help"}) {
      line.back().text += fmt::format("{}   ", key);
    }
    fill_up(line, width_, fmt::format("by {} ", name_of(screen_.order)));
    return line;
  }

  const TopFigures& figures_;
  const TopScreen& screen_;
  std::size_t width_;
  std::size_t height_;
  Glyphs glyphs_;
  std::vector<ScreenLine> lines_;
};

}  // namespace

std::string bar(double part, double whole, std::size_t cells, Glyphs glyphs) {
  const double share = whole > 0 ? std::clamp(part / whole, 0.0, 1.0) : 0;
  const auto filled = static_cast<std::size_t>(std::lround(share * static_cast<double>(cells)));
  std::string text;
  for (std::size_t i = 0; i < cells; ++i) {
    if (glyphs == Glyphs::unicode) {
      text += i < filled ? "█" : "░";
    } else {
      text += i < filled ? '#' : '.';
    }
  }
  return text;
}

std::string sparkline(const std::vector<std::uint64_t>& values, std::uint64_t top,
                      std::size_t cells, Glyphs glyphs) {
  // A minute has more points than there are columns: neighbours share one, the largest of them counts.
  const std::size_t per_cell =
      cells == 0 ? 1 : std::max<std::size_t>((values.size() + cells - 1) / cells, 1);
  std::string text;
  for (std::size_t i = 0; i < values.size(); i += per_cell) {
    const auto first = values.begin() + static_cast<std::ptrdiff_t>(i);
    const auto last =
        values.begin() + static_cast<std::ptrdiff_t>(std::min(i + per_cell, values.size()));
    const double share = top == 0 ? 0
                                  : std::min(static_cast<double>(*std::max_element(first, last)) /
                                                 static_cast<double>(top),
                                             1.0);
    auto height = static_cast<std::size_t>(std::ceil(share * top_height));
    height = std::min(height, top_height);
    text += glyphs == Glyphs::unicode ? unicode_heights[height] : ascii_heights[height];
  }
  return text;
}

std::vector<double> to_cells(const std::vector<double>& values, std::size_t cells) {
  if (values.size() <= cells || cells == 0) {
    return values;
  }
  std::vector<double> result;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const std::size_t first = cell * values.size() / cells;
    const std::size_t last = (cell + 1) * values.size() / cells;
    double sum = 0;
    for (std::size_t i = first; i < last; ++i) {
      sum += values[i];
    }
    result.push_back(sum / static_cast<double>(last - first));
  }
  return result;
}

std::size_t columns_of(const ScreenLine& line) {
  std::size_t columns = 0;
  for (const Span& span : line) {
    columns += columns_of_text(span.text);
  }
  return columns;
}

std::string text_of(const ScreenLine& line) {
  std::string text;
  for (const Span& span : line) {
    text += span.text;
  }
  return text;
}

std::vector<ScreenLine> lay_out(const TopFigures& figures, const TopScreen& screen,
                                std::size_t width, std::size_t height, Glyphs glyphs) {
  return Layout(figures, screen, width, height, glyphs).lines();
}

std::string line_of(const TopFigures& figures, const TopScreen& screen) {
  if (!screen.trouble.empty() || !figures.has_pulse) {
    return fmt::format("{}  resident {:>10}  {}\n", screen.clock, amount(figures.resident),
                       screen.trouble.empty() ? "no figures yet" : screen.trouble);
  }
  std::uint64_t arenas = 0;
  for (const TopTier& tier : figures.tiers) {
    arenas += tier.arenas;
  }
  return fmt::format(
      "{}  resident {:>10}  live {:>10}  arenas {:>5}  handed out {:>11}  collections {:>6}  "
      "{}{}\n",
      screen.clock, amount(figures.resident), amount(figures.live), arenas,
      speed(figures.handed_out), percent(gc_share(figures)),
      figures.residency
          ? fmt::format("retained {}, pinned {} ({})", amount(figures.residency->retained),
                        amount(figures.residency->pinned),
                        age(screen.now - figures.residency->time))
          : "retained not measured",
      screen.message.empty() ? "" : "  " + screen.message);
}

std::string json_line_of(const TopFigures& figures, const TopScreen& screen) {
  using nlohmann::ordered_json;
  ordered_json json = {
      {"pid", screen.pid}, {"clock", screen.clock}, {"resident", figures.resident}};
  if (!screen.trouble.empty()) {
    json["trouble"] = screen.trouble;
  }
  if (figures.has_pulse && screen.trouble.empty()) {
    json["live"] = figures.live;
    json["blocks"] = figures.blocks;
    json["is_estimate"] = figures.is_estimate;
    json["handed_out_per_second"] = figures.handed_out;
    json["growth_per_second"] = figures.growth;
    json["pulse_ns"] = figures.held;
    const auto* of_generation = figures.collections.data();
    for (const char* generation : {"young", "middle", "full"}) {
      const TopCollections& of = *of_generation++;
      json["collections"][generation] = {{"per_second", of.per_second},
                                         {"share_of_time", of.share},
                                         {"longest_ns", of.longest},
                                         {"collected", of.collected}};
    }
    json["tiers"] = ordered_json::array();
    for (const TopTier& tier : figures.tiers) {
      json["tiers"].push_back(
          {{"arenas", tier.arenas}, {"arena_size", tier.arena_size}, {"full", tier.full}});
    }
    json["large"] = {{"blocks", figures.large_blocks},
                     {"bytes", figures.large_bytes},
                     {"kept", figures.large_kept}};
    json["classes"] = ordered_json::array();
    for (const TopClass& of : figures.classes) {
      json["classes"].push_back({{"size", of.block_size},
                                 {"pools", of.pools},
                                 {"blocks", of.blocks},
                                 {"live", of.live_bytes},
                                 {"free", of.free_bytes}});
    }
    if (figures.residency) {
      json["residency"] = {{"retained", figures.residency->retained},
                           {"pinned", figures.residency->pinned},
                           {"age_seconds", screen.now - figures.residency->time}};
    }
  }
  return json.dump() + "\n";
}

}  // namespace tarn::cli
