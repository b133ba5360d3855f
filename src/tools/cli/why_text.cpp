#include "tools/cli/why_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <nlohmann/json.hpp>

#include "tools/cli/report_json.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

using namespace sight::reading;
using Json = nlohmann::ordered_json;

constexpr std::size_t name_width = 60;
constexpr std::size_t file_width = 50;
// What isn't Tarn's is told in detail when it is this much of all.
constexpr double share_worth_a_look = 0.25;
constexpr std::size_t most_mappings = 5;
constexpr std::size_t most_named = 3;

std::string name_text(const std::string& name) { return shorten(escape(name), name_width); }

std::uint64_t ledger_line(const HeapImage& image, const char* key) {
  const auto line = std::ranges::find(image.ledger, key, &LedgerRow::key);
  return line == image.ledger.end() || line->bytes < 0 ? 0
                                                       : static_cast<std::uint64_t>(line->bytes);
}

struct Part {
  const char* key;
  const char* name;
  std::uint64_t bytes;
  const char* remark;
};

// Where the resident memory is: what was counted page by page, and the ledger's lines for what isn't the heap's.
std::vector<Part> parts_of(const HeapImage& image, const Why& why) {
  std::vector<Part> parts = {
      {"live", "live blocks", why.live, ""},
      {"pinned", "pinned by them", why.pinned, "the rest of their pages"},
      {"large", "large blocks", why.large, "live, and whole pages"},
      {"free", "free", why.empty + ledger_line(image, "large_kept"), "goes back by 'tarn release'"},
      {"descriptors", "descriptors", ledger_line(image, "descriptors"), ""},
      {"other_heaps", "not Tarn's: other heaps", ledger_line(image, "other_heaps"),
       "the C library's, extensions'"},
      {"files", "not Tarn's: mapped files", ledger_line(image, "files"), ""},
      {"stacks", "not Tarn's: stacks", ledger_line(image, "stacks"), ""}};
  std::uint64_t sum = 0;
  for (const Part& part : parts) {
    sum += part.bytes;
  }
  if (image.facts.resident > sum) {
    parts.push_back({"rest", "the rest", image.facts.resident - sum, ""});
  }
  return parts;
}

double percent(std::uint64_t bytes, std::uint64_t whole) {
  return whole == 0 ? 0.0 : 100.0 * static_cast<double>(bytes) / static_cast<double>(whole);
}

std::string summary_text(const HeapImage& image, const Why& why) {
  Table table;
  table.add({"resident", bytes_text(image.facts.resident)});
  for (const Part& part : parts_of(image, why)) {
    if (part.bytes != 0) {
      table.add({std::string("  ") + part.name, bytes_text(part.bytes),
                 fmt::format("{:.1f} %", percent(part.bytes, image.facts.resident))});
    }
  }
  std::string text;
  const std::vector<std::string> lines = table.lines();
  std::size_t row = 1;
  text += lines.front() + '\n';
  for (const Part& part : parts_of(image, why)) {
    if (part.bytes != 0) {
      text += lines[row++];
      text += *part.remark == '\0' ? "\n" : fmt::format("  {}\n", part.remark);
    }
  }
  return text;
}

std::string others_text(const HeapImage& image) {
  std::uint64_t others = 0;
  for (const MappingRow& mapping : image.others) {
    others += mapping.resident;
  }
  if (image.others.empty() || percent(others, image.facts.resident) < 100 * share_worth_a_look) {
    return "";
  }
  std::string text = "\nWhat isn't Tarn's, by mapping:\n";
  Table table;
  for (std::size_t i = 0; i < std::min(image.others.size(), most_mappings); ++i) {
    const MappingRow& mapping = image.others[i];
    const std::string& name = mapping.name.empty() ? mapping.owner : mapping.name;
    table.add({"  " + shorten(escape(name), name_width), bytes_text(mapping.resident)});
  }
  for (const std::string& line : table.lines()) {
    text += line + '\n';
  }
  return text;
}

std::string returns_text(const Returns& returns) {
  return returns.least == returns.most
             ? bytes_text(returns.least)
             : fmt::format("{} to {}", bytes_text(returns.least), bytes_text(returns.most));
}

std::string holders_text(const Answer& answer) {
  if (answer.holders.empty() || answer.holders.front().name.empty()) {
    return "nothing known: C code, or the interpreter";
  }
  const HolderShare& first = answer.holders.front();
  std::string text = shorten(escape(first.name), name_width);
  std::vector<std::string> chain;
  for (const std::string& type : answer.chain) {
    chain.push_back(shorten(escape(type), name_width));
  }
  if (!chain.empty()) {
    text += fmt::format(" ({})", fmt::join(chain, " -> "));
  }
  if (answer.holders.size() > 1) {
    text += fmt::format(", {} of them", count_text(first.objects));
    for (std::size_t i = 1; i < std::min(answer.holders.size(), most_named); ++i) {
      text += fmt::format("; {} by {}", count_text(answer.holders[i].objects),
                          name_text(answer.holders[i].name));
    }
  }
  return text;
}

std::string shared_text(const Answer& answer) {
  if (answer.shared.empty()) {
    return "others too: let go of all of them";
  }
  std::string text = "others too: ";
  for (std::size_t i = 0; i < std::min(answer.shared.size(), most_named); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : "; ", name_text(answer.shared[i].name));
  }
  return text;
}

std::string line_text(const FrameRow& frame) {
  return fmt::format("{}:{} in {}", shorten(escape(frame.file), file_width), frame.line,
                     name_text(frame.function));
}

std::string site_text(const SiteShare& site) {
  if (site.frames.empty()) {
    return site.has_no_room ? "a place for which there was no room" : "no line of Python";
  }
  std::string text = line_text(site.frames.front());
  if (site.own < site.frames.size()) {
    text += ", for " + line_text(site.frames[site.own]);
  }
  return text;
}

double share_of(double part, double whole) { return whole == 0 ? 1 : part / whole; }

// The most frequent places: "mostly app.py:88 in login (83 %); app.py:91 in renew (12 %)".
std::string shares_text(const Sites& sites, double SiteShare::*by, double whole) {
  const auto part_of = [&](const SiteShare& share) { return share_of(share.*by, whole); };
  constexpr double nearly_all = 0.995;
  const SiteShare& first = sites.shares.front();
  if (part_of(first) >= nearly_all) {
    return site_text(first);
  }
  constexpr double worth_a_word = 0.02;
  std::string text = part_of(first) > 0.5 ? "mostly " : "";
  for (std::size_t i = 0; i < std::min(sites.shares.size(), most_named); ++i) {
    if (i == 0 || part_of(sites.shares[i]) >= worth_a_word) {
      text += fmt::format("{}{} ({:.0f} %)", i == 0 ? "" : "; ", site_text(sites.shares[i]),
                          100 * part_of(sites.shares[i]));
    }
  }
  return text;
}

std::string samples_text(std::uint64_t samples) {
  return fmt::format("{} sample{}", count_text(samples), samples == 1 ? "" : "s");
}

// One line, or two: where the objects were allocated, and, if that rests on little, what goes with them.
std::vector<std::string> sites_lines(const HeapImage& image, const Answer& answer) {
  constexpr std::uint64_t few_samples = 10;  // of these a share is off by a third
  std::vector<std::string> lines;
  const bool is_sampled = image.sites_rate > 1;
  const Sites& own = answer.sites;
  if (own.samples != 0) {
    lines.push_back(shares_text(own, &SiteShare::objects, own.objects));
    if (is_sampled) {
      lines.back() += fmt::format(", by {}", samples_text(own.samples));
    } else if (own.samples < answer.objects) {
      lines.back() += fmt::format(", of {} that were recorded", count_text(own.samples));
    }
  }
  const Sites& all = answer.freed_sites;
  if (is_sampled && own.samples < few_samples && all.samples > own.samples) {
    lines.push_back(fmt::format(
        "{}what goes with them: {}, by {}", lines.empty() ? "not known, no sample of these; " : "",
        shares_text(all, &SiteShare::bytes, all.bytes), samples_text(all.samples)));
  }
  if (lines.empty() && image.sites_rate != 0) {
    lines.emplace_back(is_sampled
                           ? fmt::format("not known: one block in {} was recorded, none of these",
                                         bytes_text(image.sites_rate))
                           : "not known: not recorded");
  }
  return lines;
}

std::string freed_text(const Answer& answer) {
  std::string text = bytes_text(answer.freed_bytes);
  const char* separator = ": ";
  for (const TypeShare& share : answer.freed) {
    text += fmt::format("{}{} {} ({})", separator, count_text(share.objects),
                        shorten(escape(share.type), name_width), bytes_text(share.bytes));
    separator = ", ";
  }
  return text;
}

std::string container_text(const Answer& answer) {
  if (answer.containers == 0) {
    return "";
  }
  return fmt::format(" and the {}{} they are in",
                     answer.containers == 1 ? "" : count_text(answer.containers) + ' ',
                     name_text(answer.container));
}

std::string answer_text(const HeapImage& image, const Answer& answer, std::size_t number,
                        const Style& style) {
  const bool is_one = answer.objects == 1;
  const std::string what =
      answer.type == "unknown" ? fmt::format("block{} of which nothing is known", is_one ? "" : "s")
      : answer.of_type == answer.objects
          ? fmt::format("object{} of type {}", is_one ? "" : "s", name_text(answer.type))
          : fmt::format("objects ({} of type {})", count_text(answer.of_type),
                        name_text(answer.type));
  std::string text = style.heading(
      fmt::format("{:>2}. {} {}{} pin{} {}", number, count_text(answer.objects), what,
                  container_text(answer), is_one ? "s" : "", returns_text(answer.returns)));
  text += '\n';
  const auto add = [&](const char* label, const std::string& value) {
    text += fmt::format("    {:<14}{}\n", label, value);
  };
  const char* label = "allocated at";
  for (const std::string& sites : sites_lines(image, answer)) {
    add(label, sites);
    label = "";
  }
  add("held by", holders_text(answer));
  if (answer.is_shared) {
    add("", shared_text(answer));
  }
  add("with them go", freed_text(answer));
  if (answer.whole.least > answer.returns.least) {
    add("all of it", fmt::format("{} if the {} goes, or is emptied", returns_text(answer.whole),
                                 name_text(answer.whole_type)));
  }
  if (answer.pages > answer.returns.least) {
    add("others keep",
        fmt::format("{} of the {} that these lie in",
                    bytes_text(answer.pages - answer.returns.least), bytes_text(answer.pages)));
  }
  return text;
}

// Estimates as whole numbers, which any reader of JSON keeps.
std::uint64_t rounded(double estimate) {
  constexpr double most = 0x1p53;
  return static_cast<std::uint64_t>(std::llround(std::min(estimate, most)));
}

Json sites_json(const Sites& sites, double SiteShare::*by, double whole) {
  Json all = Json::array();
  for (const SiteShare& site : sites.shares) {
    Json frames = Json::array();
    for (const FrameRow& frame : site.frames) {
      frames.push_back({{"function", frame.function}, {"file", frame.file}, {"line", frame.line}});
    }
    Json one = {{"objects", rounded(site.objects)},
                {"bytes", rounded(site.bytes)},
                {"share", share_of(site.*by, whole)},
                {"samples", site.samples},
                {"frames", std::move(frames)}};
    if (site.own < site.frames.size()) {
      one["own"] = site.own;
    }
    if (site.has_no_room) {
      one["has_no_room"] = true;
    }
    all.push_back(std::move(one));
  }
  return all;
}

std::string date_text(double seconds) {
  // A year that a calendar can show: the file may say anything.
  const double most = 253'402'300'799.0;
  const auto time = static_cast<std::time_t>(std::clamp(seconds, 0.0, most));
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", parts);
}

}  // namespace

std::string why_text(const HeapImage& image, const Why& why, const Style& style) {
  const std::string program = image.facts.program.empty() ? "a Python" : image.facts.program;
  std::string text = style.heading(
      fmt::format("{} (process {}) on Python {}, {}", shorten(escape(program), 40), image.facts.pid,
                  shorten(escape(image.facts.python), 20), date_text(image.facts.taken_at)));
  text += "\n\n" + summary_text(image, why) + others_text(image) + '\n';
  if (why.by == GroupBy::site && image.sites_rate > 1) {
    text += fmt::format(
        "Only recorded blocks are told, one in {}: of most that a line allocated nothing is "
        "known.\n"
        "'tarn sites' estimates that; 'tarn run --sites=1' records every block.\n\n",
        bytes_text(image.sites_rate));
  }
  if (why.answers.empty()) {
    return text + "Nothing that could be let go of would give a page back.\n";
  }
  for (std::size_t i = 0; i < why.answers.size(); ++i) {
    text += answer_text(image, why.answers[i], i + 1, style) + '\n';
  }
  if (why.answers.size() > 1) {
    text += fmt::format("All of these together: {}.\n", returns_text(why.together));
  }
  if (!why.is_exact) {
    text +=
        "\"to\": the file doesn't tell all references, so whether others hold what goes with\n"
        "them isn't known. 'tarn snapshot --references' makes one that does.\n";
  }
  return text;
}

std::string why_json(const HeapImage& image, const Why& why) {
  Json json = {{"tarn_why", 1},
               {"pid", image.facts.pid},
               {"program", image.facts.program},
               {"python", image.facts.python},
               {"taken_at", image.facts.taken_at},
               {"resident", image.facts.resident},
               {"is_exact", why.is_exact},
               {"sites_rate", image.sites_rate}};
  for (const Part& part : parts_of(image, why)) {
    json["parts"][part.key] = part.bytes;
  }
  for (const LedgerRow& line : image.ledger) {
    json["ledger"][line.key] = line.bytes;
  }
  json["others"] = Json::array();
  for (std::size_t i = 0; i < std::min(image.others.size(), most_mappings); ++i) {
    const MappingRow& mapping = image.others[i];
    json["others"].push_back(
        {{"owner", mapping.owner}, {"name", mapping.name}, {"resident", mapping.resident}});
  }
  const auto holders = [](const std::vector<HolderShare>& shares) {
    Json all = Json::array();
    for (const HolderShare& share : shares) {
      all.push_back({{"name", share.name}, {"kind", share.kind}, {"objects", share.objects}});
    }
    return all;
  };
  json["answers"] = Json::array();
  for (const Answer& answer : why.answers) {
    Json one = {{"type", answer.type},
                {"objects", answer.objects},
                {"objects_of_type", answer.of_type},
                {"bytes", answer.bytes},
                {"block", answer.first},
                {"returns", answer.returns.least},
                {"returns_at_most", answer.returns.most},
                {"pages", answer.pages},
                {"freed_bytes", answer.freed_bytes},
                {"is_shared", answer.is_shared},
                {"holders", holders(answer.holders)},
                {"chain", answer.chain},
                {"shared_with", holders(answer.shared)}};
    if (answer.containers != 0) {
      one["container"] = {{"type", answer.container}, {"objects", answer.containers}};
    }
    if (answer.whole.most != 0) {
      one["whole"] = {{"type", answer.whole_type},
                      {"returns", answer.whole.least},
                      {"returns_at_most", answer.whole.most}};
    }
    one["frees"] = Json::array();
    for (const TypeShare& share : answer.freed) {
      one["frees"].push_back(
          {{"type", share.type}, {"objects", share.objects}, {"bytes", share.bytes}});
    }
    one["sites"] = sites_json(answer.sites, &SiteShare::objects, answer.sites.objects);
    one["frees_sites"] =
        sites_json(answer.freed_sites, &SiteShare::bytes, answer.freed_sites.bytes);
    json["answers"].push_back(std::move(one));
  }
  json["together"] = {{"returns", why.together.least}, {"returns_at_most", why.together.most}};
  json["has_more"] = why.has_more;
  return json_text(json);
}

}  // namespace tarn::cli
