#include "tools/cli/report_json.h"
#include "tools/cli/sites_text.h"

#include <sys/wait.h>

#include <nlohmann/json.hpp>

#include "tools/cli/process.h"

namespace tarn::cli {
namespace {

using Json = nlohmann::ordered_json;

// Raised when a field changes its meaning or goes; a new field leaves it as it is.
constexpr int format_version = 1;

Json classes_json(const Report& report) {
  Json classes = Json::array();
  for (const SizeClassReport& size_class : report.classes) {
    classes.push_back({{"domain", size_class.domain},
                       {"szidx", size_class.szidx},
                       {"block_size", size_class.block_size},
                       {"pools_used", size_class.pools_used},
                       {"pools_full", size_class.pools_full},
                       {"blocks_allocated", size_class.blocks_allocated},
                       {"blocks_free", size_class.blocks_free},
                       {"blocks_untouched", size_class.blocks_untouched}});
  }
  return classes;
}

Json generation_json(const Report::Generation& generation) {
  return {{"pauses", generation.pauses},
          {"started_by_tarn", generation.started},
          {"longest_ns", generation.longest},
          {"total_ns", generation.total},
          {"collected", generation.collected}};
}

Json gc_json(const Report& report) {
  Json json = {{"policy", report.gc}, {"state", report.gc_state}};
  if (!report.gc_reason.empty()) {
    json["reason"] = report.gc_reason;
  }
  if (report.gc_threshold_young != 0) {
    json["threshold_young"] = report.gc_threshold_young;
    json["threshold_middle"] = report.gc_threshold_middle;
    json["allowance"] = report.gc_allowance;
    json["disabled"] = report.gc_disabled != 0;
  }
  json["full_by_program"] = report.gc_by_program;
  json["young"] = generation_json(report.gc_young);
  json["middle"] = generation_json(report.gc_middle);
  json["full"] = generation_json(report.gc_full);
  return json;
}

Json unusable_json(const UnusableReport& unusable) {
  return {{"pid", unusable.pid}, {"problem", unusable.problem}};
}

}  // namespace

Json report_json(const Report& report) {
  Json json = {{"pid", report.pid},
               {"parent", report.parent},
               {"program", report.program},
               {"python", report.python},
               {"state", report.on ? "on" : "off"}};
  if (!report.on) {
    json["reason"] = report.reason;
  }
  if (!report.has_figures) {
    return json;
  }
  json["geometry"] = report.geometry;
  json["arena_size"] = report.arena_size;
  json["pool_size"] = report.pool_size;
  json["alignment"] = report.alignment;
  json["small_request_max"] = report.small_request_max;
  json["address_map"] = report.address_map;
  json["synchronisation"] = report.synchronisation;
  json["checks"] = report.checks;
  json["arenas"] = {{"now", report.arenas_now},
                    {"peak", report.arenas_peak},
                    {"mapped", report.arenas_mapped},
                    {"released", report.arenas_released}};
  json["pools"] = {{"used", report.pools_used},
                   {"full", report.pools_full},
                   {"empty", report.pools_empty},
                   {"untouched", report.pools_untouched},
                   {"peak", report.pools_peak}};
  if (report.medium_arena_size != 0) {
    json["medium"] = {{"arena_size", report.medium_arena_size},
                      {"pool_size", report.medium_pool_size},
                      {"request_max", report.medium_request_max},
                      {"arenas",
                       {{"now", report.medium_arenas_now},
                        {"peak", report.medium_arenas_peak},
                        {"mapped", report.medium_arenas_mapped},
                        {"released", report.medium_arenas_released}}},
                      {"pools",
                       {{"used", report.medium_pools_used},
                        {"full", report.medium_pools_full},
                        {"empty", report.medium_pools_empty},
                        {"untouched", report.medium_pools_untouched},
                        {"peak", report.medium_pools_peak}}}};
  }
  json["large"] = {{"now", report.large_now},           {"requests", report.large_requests},
                   {"blocks", report.large_blocks},     {"bytes", report.large_bytes},
                   {"mappings", report.large_mappings}, {"kept_bytes", report.large_kept_bytes},
                   {"resized", report.large_resized}};
  if (!report.gc.empty()) {
    json["gc"] = gc_json(report);
  }
  json["classes"] = classes_json(report);
  if (report.has_residency) {
    json["resident_in"] = {{"pools", report.resident_pools},
                           {"live_raw", report.resident_live_raw},
                           {"live_mem", report.resident_live_mem},
                           {"live_obj", report.resident_live_obj},
                           {"free", report.resident_free},
                           {"untouched", report.resident_untouched},
                           {"empty", report.resident_empty},
                           {"live_pages", report.resident_live_pages},
                           {"large", report.resident_large},
                           {"large_kept", report.resident_large_kept},
                           {"descriptors", report.resident_descriptors}};
  }
  if (report.resident != 0) {
    json["resident"] = report.resident;
    json["page_floor"] = report.page_floor;
  }
  return json;
}

std::string outcome_json(const RunOutcome& outcome) {
  const CollectedReports& reports = outcome.reports;
  Json json;
  json["tarn_report"] = format_version;
  json["command"] = outcome.command;
  json["pid"] = outcome.pid;
  json["exit_status"] = nullptr;
  json["signal"] = nullptr;
  if (WIFSIGNALED(outcome.wait_status)) {
    json["signal"] = signal_name(WTERMSIG(outcome.wait_status));
  } else {
    json["exit_status"] = WEXITSTATUS(outcome.wait_status);
  }
  json["report"] = nullptr;
  json["no_report"] = nullptr;
  if (reports.own) {
    json["report"] = report_json(*reports.own);
  } else {
    json["no_report"] = outcome.no_report;
  }
  json["further"] = Json::array();
  for (const Report& report : reports.further) {
    json["further"].push_back(report_json(report));
  }
  json["unusable"] = Json::array();
  for (const UnusableReport& unusable : reports.unusable) {
    json["unusable"].push_back(unusable_json(unusable));
  }
  if (outcome.sites) {
    json["sites"] = sites_json(*outcome.sites, SiteMeasure::live);
  }
  json["left_out"] = reports.left_out;
  return json_text(json);
}

std::string json_text(const Json& value) {
  return value.dump(2, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace tarn::cli
