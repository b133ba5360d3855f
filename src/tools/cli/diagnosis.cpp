#include "tools/cli/diagnosis.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "tools/cli/report_json.h"
#include "tools/cli/text.h"

namespace tarn::cli {
namespace {

constexpr unsigned first_minor = 8;
constexpr unsigned last_minor = 14;

class Examination {
 public:
  explicit Examination(const Findings& findings) : findings_(findings) {}

  Diagnosis examine() {
    examine_python();
    examine_loading();
    examine_settings();
    examine_trial();
    diagnosis_.can_live = !found_obstacle_;
    return std::move(diagnosis_);
  }

 private:
  void note(const char* label, std::string text) {
    diagnosis_.lines.push_back({label, std::move(text), false});
  }

  // Everything in the way gets its line; the verdict names the first.
  void obstruct(const char* label, std::string text, std::string because, std::string remedy) {
    diagnosis_.lines.push_back({label, std::move(text), true});
    if (!found_obstacle_) {
      diagnosis_.because = std::move(because);
      diagnosis_.remedy = std::move(remedy);
    }
    found_obstacle_ = true;
  }

  void examine_python() {
    const std::string file = escape(findings_.python);
    if (!findings_.probe.facts) {
      note("python", file);
      obstruct("probe", findings_.probe.problem,
               fmt::format("it couldn't be asked what it is: {}", findings_.probe.problem),
               "try it by hand: " + file + " -I -S -c pass");
      return;
    }
    const PythonFacts& python = *findings_.probe.facts;
    const bool is_same_file = python.executable.empty() || python.executable == findings_.python;
    note("python", is_same_file ? file : fmt::format("{} ({})", file, escape(python.executable)));

    const std::string version =
        fmt::format("{} {}", python.implementation == "cpython" ? "CPython" : python.implementation,
                    python.version);
    constexpr const char* use_another = "use CPython 3.8 to 3.14";
    if (python.implementation != "cpython") {
      obstruct("version", version,
               fmt::format("it is {}, which has a memory manager that can't be replaced",
                           python.implementation),
               use_another);
    } else if (python.major != 3 || python.minor < first_minor || python.minor > last_minor) {
      obstruct("version", version, fmt::format("{} is not supported", version), use_another);
    } else {
      note("version", version);
    }

    if (python.free_threaded) {
      obstruct(
          "build", "free-threaded",
          "its cycle collector finds objects by walking the heaps of its own allocator, mimalloc",
          fmt::format("use a build with the GIL (python{}.{})", python.major, python.minor));
    } else if (python.pointer_bits != 64) {
      obstruct("build", fmt::format("{} bits", python.pointer_bits), "it is not a 64-bit program",
               "use a 64-bit Python");
    } else {
      note("build", "with the GIL, 64 bits");
    }
    note("libpython", python.libpython.empty() ? "static, in the executable"
                                               : "shared, " + escape(python.libpython));
  }

  void examine_loading() {
    if (findings_.library.empty()) {
      obstruct("hook", findings_.library_problem, "the hook can't be preloaded", "");
    } else {
      note("hook", escape(findings_.library) + ", by LD_PRELOAD");
    }
    if (findings_.preload_obstacle) {
      obstruct("privileges", *findings_.preload_obstacle, *findings_.preload_obstacle,
               "use a Python that can be preloaded into");
    } else {
      note("privileges", "none of its own (not setuid, setgid, no capabilities)");
    }
  }

  void examine_settings() {
    if (findings_.pythonmalloc && !findings_.pythonmalloc->empty()) {
      examine_pythonmalloc(*findings_.pythonmalloc);
    } else {
      note("PYTHONMALLOC", "not set");
    }
    if (findings_.pythondevmode && !findings_.pythondevmode->empty()) {
      note("PYTHONDEVMODE", "set: Tarn stays on, under Python's debug hooks");
    } else {
      note("PYTHONDEVMODE", "not set");
    }
    note("RLIMIT_AS", findings_.address_space_limit
                          ? bytes_text(*findings_.address_space_limit) + what_follows_from_limit()
                          : "no limit");
  }

  [[nodiscard]] const char* what_follows_from_limit() const {
    if (!findings_.trial || !findings_.trial->has_figures) {
      return "";
    }
    return findings_.trial->address_map == "range"
               ? ", enough to reserve a range of addresses"
               : ", too little to reserve a range of addresses: a page map is used";
  }

  void examine_pythonmalloc(const std::string& value) {
    constexpr std::array<std::string_view, 6> others = {
        "malloc", "malloc_debug", "pymalloc", "pymalloc_debug", "mimalloc", "mimalloc_debug"};
    const std::string shown = shorten(escape(value), 40);
    if (value == "default") {
      note("PYTHONMALLOC", "default: Tarn stays on");
    } else if (value == "debug") {
      note("PYTHONMALLOC", "debug: Tarn stays on, under Python's debug hooks");
    } else if (std::ranges::find(others, value) != others.end()) {
      obstruct("PYTHONMALLOC", shown + ": chooses another allocator, Tarn stays off",
               fmt::format("PYTHONMALLOC={} chooses another allocator", shown),
               "unset PYTHONMALLOC");
    } else {
      obstruct("PYTHONMALLOC", shown + ": Python knows no such allocator, and won't start",
               fmt::format("Python won't start with PYTHONMALLOC={}", shown), "unset PYTHONMALLOC");
    }
  }

  void examine_trial() {
    if (findings_.trial && findings_.trial->on && !findings_.trial->has_figures) {
      note("tried", "on Tarn");
    } else if (findings_.trial && findings_.trial->on) {
      const Report& report = *findings_.trial;
      note("tried",
           fmt::format(
               "on Tarn: geometry {}, addresses by {}, {} at most", report.geometry,
               report.address_map == "range" ? "range" : "page map",
               report.arenas_peak == 1 ? "1 arena" : count_text(report.arenas_peak) + " arenas"));
    } else if (findings_.trial) {
      obstruct("tried", "not on Tarn: " + findings_.trial->reason, findings_.trial->reason, "");
    } else if (!findings_.trial_problem.empty()) {
      obstruct("tried", findings_.trial_problem,
               fmt::format("it was run with the hook, but {}", findings_.trial_problem), "");
    } else {
      note("tried", "no");
    }
    for (const std::string& message : findings_.trial_messages) {
      note("", "it wrote: " + message);
    }
  }

  const Findings& findings_;
  Diagnosis diagnosis_;
  bool found_obstacle_ = false;
};

nlohmann::ordered_json optional_json(const std::optional<std::string>& value) {
  return value ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
}

}  // namespace

Diagnosis diagnose(const Findings& findings) { return Examination(findings).examine(); }

std::string diagnosis_text(const Diagnosis& diagnosis, const Style& style) {
  std::size_t width = 0;
  for (const Diagnosis::Line& line : diagnosis.lines) {
    width = std::max(width, line.label.size());
  }
  std::string text;
  for (const Diagnosis::Line& line : diagnosis.lines) {
    text += fmt::format("{:<{}}  {}\n", line.label, width,
                        line.is_in_the_way ? style.trouble(line.text) : line.text);
  }
  std::string verdict = "This Python can live on Tarn.";
  if (!diagnosis.can_live) {
    verdict = fmt::format("This Python can't live on Tarn: {}", diagnosis.because);
    verdict += diagnosis.remedy.empty() ? "." : fmt::format("; {}.", diagnosis.remedy);
  }
  return fmt::format("{}\n{}\n", text, style.heading(verdict));
}

nlohmann::ordered_json diagnosis_json(const Findings& findings, const Diagnosis& diagnosis) {
  using Json = nlohmann::ordered_json;
  Json json;
  json["tarn_doctor"] = 1;
  json["can_live"] = diagnosis.can_live;
  json["because"] = diagnosis.can_live ? Json(nullptr) : Json(diagnosis.because);
  json["remedy"] = diagnosis.remedy.empty() ? Json(nullptr) : Json(diagnosis.remedy);
  json["python"] = findings.python;
  json["facts"] = nullptr;
  if (findings.probe.facts) {
    const PythonFacts& facts = *findings.probe.facts;
    json["facts"] = {
        {"version", facts.version},
        {"implementation", facts.implementation},
        {"free_threaded", facts.free_threaded},
        {"pointer_bits", facts.pointer_bits},
        {"executable", facts.executable},
        {"libpython", facts.libpython.empty() ? Json(nullptr) : Json(facts.libpython)}};
  }
  json["hook"] = findings.library.empty() ? Json(nullptr) : Json(findings.library);
  json["PYTHONMALLOC"] = optional_json(findings.pythonmalloc);
  json["PYTHONDEVMODE"] = optional_json(findings.pythondevmode);
  json["RLIMIT_AS"] =
      findings.address_space_limit ? Json(*findings.address_space_limit) : Json(nullptr);
  json["trial"] = findings.trial ? report_json(*findings.trial) : Json(nullptr);
  json["in_the_way"] = Json::array();
  for (const Diagnosis::Line& line : diagnosis.lines) {
    if (line.is_in_the_way) {
      json["in_the_way"].push_back(line.label + ": " + line.text);
    }
  }
  return json;
}

}  // namespace tarn::cli
