#include "tools/cli/sites_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

constexpr std::size_t where_width = 34;
constexpr std::size_t frame_width = 74;

void add(AllocationSite& sum, const AllocationSite& site) {
  sum.live_bytes += site.live_bytes;
  sum.live_blocks += site.live_blocks;
  sum.retained_bytes += site.retained_bytes;
  sum.allocated_bytes += site.allocated_bytes;
  sum.allocated_blocks += site.allocated_blocks;
  sum.samples += site.samples;
  sum.live_samples += site.live_samples;
}

struct Row {
  std::string where;
  AllocationSite sum;
  const AllocationSite* stack = nullptr;  // of a row by stack
};

std::string where_of(const SitesReport& report, const AllocationSite& site) {
  return site.frames.empty() ? stackless_text(report, site)
                             : frame_text(report.frames[site.frames.front()]);
}

std::vector<Row> rows_of(const SitesReport& report, const SitesView& view) {
  std::vector<Row> rows;
  std::map<std::string, std::size_t> by_place;
  for (const AllocationSite& site : report.sites) {
    const std::string where = where_of(report, site);
    if (view.by_stack) {
      rows.push_back({where, site, &site});
      continue;
    }
    const auto [place, is_new] = by_place.try_emplace(where, rows.size());
    if (is_new) {
      rows.push_back({where, {}, nullptr});
    }
    add(rows[place->second].sum, site);
  }
  std::erase_if(rows, [&](const Row& row) { return measure_of(row.sum, view.measure) == 0; });
  std::ranges::stable_sort(rows, std::greater{},
                           [&](const Row& row) { return measure_of(row.sum, view.measure); });
  return rows;
}

const char* rate_text(const SitesReport& report, std::string& text) {
  text = report.rate == 1 ? "every block is recorded"
                          : fmt::format("one block in {} is recorded", bytes_text(report.rate));
  return text.c_str();
}

std::vector<std::string> cells(const std::string& where, const AllocationSite& sum) {
  return {shorten(escape(where), where_width), bytes_text(sum.live_bytes),
          bytes_text(sum.retained_bytes), bytes_text(sum.allocated_bytes), count_text(sum.samples)};
}

}  // namespace

std::string sites_text(const SitesReport& report, const SitesView& view, const Style& style) {
  std::string rate;
  std::string text =
      style.heading(fmt::format("tarn: where {} (process {}) on Python {} allocates",
                                shorten(report.program.empty() ? "a Python" : report.program, 24),
                                report.pid, shorten(report.python, 10)));
  text += fmt::format("\n      {}; {} were, with {} frames at most\n\n", rate_text(report, rate),
                      count_text(report.samples), report.most_frames);
  const std::vector<Row> rows = rows_of(report, view);
  Table table;
  table.add({"allocated by", "live", "retained", "allocated", "samples"});
  AllocationSite all;
  for (const AllocationSite& site : report.sites) {
    add(all, site);
  }
  const std::size_t shown = std::min(view.top, rows.size());
  AllocationSite rest = all;
  for (std::size_t i = 0; i < shown; ++i) {
    table.add(cells(rows[i].where, rows[i].sum));
    rest.live_bytes -= rows[i].sum.live_bytes;
    rest.retained_bytes -= rows[i].sum.retained_bytes;
    rest.allocated_bytes -= rows[i].sum.allocated_bytes;
    rest.samples -= rows[i].sum.samples;
  }
  if (shown < rows.size()) {
    table.add(cells(fmt::format("{} more", count_text(rows.size() - shown)), rest));
  }
  table.add(cells("all", all));
  std::size_t line_number = 0;
  for (const std::string& line : table.lines()) {
    text += (line_number == 0 ? style.heading(line) : line) + '\n';
    if (view.by_stack && line_number >= 1 && line_number <= shown) {
      const AllocationSite& site = *rows[line_number - 1].stack;
      for (std::size_t i = 1; i < site.frames.size(); ++i) {
        text += fmt::format(
            "    {}\n", shorten(escape(frame_text(report.frames[site.frames[i]])), frame_width));
      }
      text += site.is_cut ? "    ...\n" : "";
    }
    ++line_number;
  }
  if (report.sites[1].samples != 0) {
    text += fmt::format("\nThe tables of stacks were full: {} samples are under 'other sites'.\n",
                        count_text(report.sites[1].samples));
  }
  if (report.not_followed != 0) {
    text += fmt::format(
        "\nThe table of live blocks was full: whether {} recorded ones live isn't known,\nso "
        "'live' and 'retained' are too small. A larger rate helps.\n",
        count_text(report.not_followed));
  }
  return text;
}

nlohmann::ordered_json sites_json(const SitesReport& report, SiteMeasure measure) {
  using Json = nlohmann::ordered_json;
  std::vector<const AllocationSite*> sites;
  for (const AllocationSite& site : report.sites) {
    if (site.samples + site.live_samples != 0) {
      sites.push_back(&site);
    }
  }
  std::ranges::stable_sort(sites, std::greater{},
                           [&](const AllocationSite* site) { return measure_of(*site, measure); });
  Json json = {{"tarn_sites", 1},           {"pid", report.pid},
               {"program", report.program}, {"python", report.python},
               {"rate", report.rate},       {"frames_at_most", report.most_frames},
               {"samples", report.samples}, {"not_followed", report.not_followed}};
  json["sites"] = Json::array();
  for (const AllocationSite* const site : sites) {
    Json entry = {{"live_bytes", site->live_bytes},
                  {"live_blocks", site->live_blocks},
                  {"retained_bytes", site->retained_bytes},
                  {"allocated_bytes", site->allocated_bytes},
                  {"allocated_blocks", site->allocated_blocks},
                  {"samples", site->samples},
                  {"live_samples", site->live_samples},
                  {"kind", !site->frames.empty()             ? "python"
                           : site - report.sites.data() == 1 ? "other"
                                                             : "native"},
                  {"cut", site->is_cut}};
    entry["stack"] = Json::array();
    for (const std::uint32_t number : site->frames) {
      const SiteFrame& frame = report.frames[number];
      entry["stack"].push_back(
          {{"function", frame.function}, {"file", frame.file}, {"line", frame.line}});
    }
    json["sites"].push_back(std::move(entry));
  }
  return json;
}

}  // namespace tarn::cli
