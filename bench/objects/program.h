// The program that each peer is: runs one case once and prints what it took.
//
//     objects-PEER CASE [--scale F] [--variant NAME]
//
// A line `part NAME SECONDS CPU_SECONDS OPERATIONS LONGEST_PAUSE` for each part of the case, `memory PEAK_KIB BEFORE_KIB`, where
// the latter is the peak before the case began, and at last `checksum N`, the same for every peer.
#pragma once

#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cases/cycles.h"
#include "cases/gcbench.h"
#include "cases/graph.h"
#include "cases/json.h"
#include "cases/list.h"
#include "cases/references.h"
#include "cases/trees.h"
#include "meter.h"
#include "peer.h"

namespace tarn::bench::objects {

struct Arguments {
  std::string_view case_name;
  std::string_view variant;
  double scale = 1.0;
};

// Ends the program with a line on standard error where they are wrong.
[[nodiscard]] Arguments parse_arguments(int count, char** words);

template <Peer P>
int run_program(int count, char** words) {
  struct Case {
    std::string_view name;
    std::uint64_t (*run)(Meter& meter, double scale);
  };
  static constexpr Case cases[] = {
      {"gcbench", &run_gcbench<P>},       {"trees", &run_trees<P>},
      {"graph", &run_graph<P>},           {"list", &run_list<P>},
      {"cycles", &run_cycles<P>},         {"json", &run_json<P>},
      {"references", &run_references<P>},
  };
  const Arguments arguments = parse_arguments(count, words);
  for (const Case& one : cases) {
    if (one.name != arguments.case_name) {
      continue;
    }
    if (!P::start(arguments.variant)) {
      std::fprintf(stderr, "%s: no variant '%s'\n", words[0], arguments.variant.data());
      return 2;
    }
    const std::uint64_t before = peak_memory_kib();
    Meter meter;
    const std::uint64_t checksum = one.run(meter, arguments.scale);
    std::printf("memory %" PRIu64 " %" PRIu64 "\nchecksum %" PRIu64 "\n", peak_memory_kib(), before,
                checksum);
    std::fflush(stdout);
    // What a system does to end itself is no part of any case.
    std::_Exit(0);
  }
  std::fprintf(stderr, "%s: no case '%s'\n", words[0], arguments.case_name.data());
  return 2;
}

}  // namespace tarn::bench::objects
