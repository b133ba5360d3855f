// What the doctor has found, and what follows from it. Pure: the finding is in doctor.cpp.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/cli/console.h"
#include "tools/cli/probe.h"
#include "tools/cli/report.h"

namespace tarn::cli {

struct Findings {
  std::string python;  // the file, as it was found
  ProbeResult probe;
  std::optional<std::string> preload_obstacle;
  std::string library;          // the library that would be preloaded
  std::string library_problem;  // why there is none
  std::optional<std::string> pythonmalloc;
  std::optional<std::string> pythondevmode;
  std::optional<std::uint64_t> address_space_limit;  // RLIMIT_AS in bytes
  std::optional<Report> trial;  // what the Python reported when it was run on Tarn
  std::string trial_problem;    // why there is no such report; empty when it wasn't tried
  std::vector<std::string> trial_messages;  // what was written to standard error
};

struct Diagnosis {
  struct Line {
    std::string label;
    std::string text;
    bool is_in_the_way = false;
  };
  std::vector<Line> lines;
  bool can_live = false;
  std::string because;  // the first thing in the way
  std::string remedy;   // what to do about it; may be empty
};

[[nodiscard]] Diagnosis diagnose(const Findings& findings);

// Aligned lines and the verdict.
[[nodiscard]] std::string diagnosis_text(const Diagnosis& diagnosis, const Style& style);

[[nodiscard]] nlohmann::ordered_json diagnosis_json(const Findings& findings,
                                                    const Diagnosis& diagnosis);

}  // namespace tarn::cli
