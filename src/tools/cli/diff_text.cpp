#include "tools/cli/diff_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tools/cli/report_json.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

using namespace sight::reading;
using Json = nlohmann::ordered_json;

constexpr std::size_t name_width = 70;

std::uint64_t size_of(std::int64_t change) {
  return change < 0 ? std::uint64_t{0} - static_cast<std::uint64_t>(change)
                    : static_cast<std::uint64_t>(change);
}

char sign_of(std::int64_t change) { return change < 0 ? '-' : '+'; }

std::string bytes_change(std::int64_t change) {
  return change == 0 ? "0 B" : sign_of(change) + bytes_text(size_of(change));
}

std::string count_change(std::int64_t change) {
  return change == 0 ? "0" : sign_of(change) + count_text(size_of(change));
}

std::string lines_text(const Table& table) {
  std::string text;
  for (const std::string& line : table.lines()) {
    text += line + '\n';
  }
  return text;
}

std::string section(const char* title, const char* objects, const std::vector<Change>& changes,
                    std::size_t most_lines, const Style& style) {
  if (changes.empty()) {
    return "";
  }
  // Those that changed most, in the order that they have: what grew, then what shrank.
  std::vector<const Change*> shown;
  shown.reserve(changes.size());
  for (const Change& change : changes) {
    shown.push_back(&change);
  }
  std::ranges::stable_sort(shown, std::greater(),
                           [](const Change* change) { return size_of(change->bytes()); });
  const std::size_t left_out = shown.size() > most_lines ? shown.size() - most_lines : 0;
  shown.resize(shown.size() - left_out);
  std::ranges::sort(shown);
  Table table;
  table.add({title, objects, "", "bytes", "before", "after"});
  for (const Change* change : shown) {
    table.add({shorten(escape(change->name), name_width), count_change(change->objects()),
               change->before.objects == 0  ? "new"
               : change->after.objects == 0 ? "gone"
                                            : "",
               bytes_change(change->bytes()), bytes_text(change->before.bytes),
               bytes_text(change->after.bytes)});
  }
  std::string text = lines_text(table);
  const std::size_t end = text.find('\n');
  text = style.heading(text.substr(0, end)) + text.substr(end);
  if (left_out != 0) {
    text += fmt::format("and {} more that changed less\n", count_text(left_out));
  }
  return '\n' + text;
}

std::string ledger_section(const Summary& before, const Summary& after,
                           const std::vector<Change>& ledger, const Style& style) {
  Table table;
  table.add({"resident", "bytes", "before", "after"});
  const auto add = [&](const std::string& name, std::uint64_t then, std::uint64_t now) {
    table.add({name, bytes_change(static_cast<std::int64_t>(now) - static_cast<std::int64_t>(then)),
               bytes_text(then), bytes_text(now)});
  };
  for (const Change& line : ledger) {
    if (line.before.bytes != 0 || line.after.bytes != 0) {
      add(shorten(escape(line.name), name_width), line.before.bytes, line.after.bytes);
    }
  }
  add("all", before.facts.resident, after.facts.resident);
  std::string text = lines_text(table);
  const std::size_t end = text.find('\n');
  return style.heading(text.substr(0, end)) + text.substr(end);
}

std::string time_text(double seconds) {
  if (seconds >= 3600) {
    return fmt::format("{:.1f} h", seconds / 3600);
  }
  return seconds >= 60 ? fmt::format("{:.1f} min", seconds / 60) : fmt::format("{:.1f} s", seconds);
}

Json changes_json(const std::vector<Change>& changes) {
  Json all = Json::array();
  for (const Change& change : changes) {
    all.push_back({{"name", change.name},
                   {"objects", change.objects()},
                   {"bytes", change.bytes()},
                   {"before", {{"objects", change.before.objects}, {"bytes", change.before.bytes}}},
                   {"after", {{"objects", change.after.objects}, {"bytes", change.after.bytes}}}});
  }
  return all;
}

Json side_json(const Summary& side) {
  return {{"pid", side.facts.pid},
          {"program", side.facts.program},
          {"python", side.facts.python},
          {"taken_at", side.facts.taken_at},
          {"resident", side.facts.resident}};
}

}  // namespace

std::string diff_text(const Summary& before, const Summary& after, const Comparison& comparison,
                      std::size_t most_lines, const Style& style) {
  const double seconds = after.facts.taken_at - before.facts.taken_at;
  std::string text = style.heading(fmt::format(
      "{} (process {}) -> {} (process {}), {} {}", shorten(escape(before.facts.program), 40),
      before.facts.pid, shorten(escape(after.facts.program), 40), after.facts.pid,
      time_text(seconds < 0 ? -seconds : seconds), seconds < 0 ? "earlier" : "later"));
  text += "\n\n" + ledger_section(before, after, comparison.ledger, style);
  text += section("type", "objects", comparison.types, most_lines, style);
  if (before.sites_rate > 1 || after.sites_rate > 1) {
    text += fmt::format("\nBy samples, one block in {}, what follows is estimated:",
                        bytes_text(std::max(before.sites_rate, after.sites_rate)));
  }
  text += section("allocated at", "objects", comparison.sites, most_lines, style);
  text += section("size class", "blocks", comparison.classes, most_lines, style);
  text += section("pinned by", "objects", comparison.pins, most_lines, style);
  return text;
}

std::string diff_json(const Summary& before, const Summary& after, const Comparison& comparison) {
  Json json = {{"tarn_diff", 1}, {"before", side_json(before)}, {"after", side_json(after)}};
  json["ledger"] = changes_json(comparison.ledger);
  json["types"] = changes_json(comparison.types);
  json["sites"] = changes_json(comparison.sites);
  json["classes"] = changes_json(comparison.classes);
  json["pins"] = changes_json(comparison.pins);
  return json_text(json);
}

}  // namespace tarn::cli
