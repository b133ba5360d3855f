#include "tools/cli/diagnosis.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sample_report.h"
#include "tools/cli/report_reader.h"

namespace tarn::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr const char* good_probe =
    "tarn-probe 1\nversion 3.11.2\nmajor 3\nminor 11\nimplementation cpython\nfree_threaded 0\n"
    "pointer_bits 64\nexecutable 2f7573722f62696e2f707974686f6e332e3131\nlibpython \nend\n";

Findings healthy() {
  Findings findings;
  findings.python = "/usr/bin/python3";
  findings.probe = read_probe(good_probe);
  findings.library = "/usr/lib/tarn/libtarn-python.so";
  findings.trial = read_report(sample_report_text);
  return findings;
}

std::string verdict_of(const Findings& findings) {
  const std::string text = diagnosis_text(diagnose(findings), Style(false));
  const std::size_t start = text.rfind("\n", text.size() - 2) + 1;
  return text.substr(start, text.size() - start - 1);
}

TEST(Diagnosis, OfAHealthyPython) {
  EXPECT_EQ(diagnosis_text(diagnose(healthy()), Style(false)),
            R"(python         /usr/bin/python3 (/usr/bin/python3.11)
version        CPython 3.11.2
build          with the GIL, 64 bits
libpython      static, in the executable
hook           /usr/lib/tarn/libtarn-python.so, by LD_PRELOAD
privileges     none of its own (not setuid, setgid, no capabilities)
PYTHONMALLOC   not set
PYTHONDEVMODE  not set
RLIMIT_AS      no limit
tried          on Tarn: geometry tarn, addresses by range, 40 arenas at most

This Python can live on Tarn.
)");
}

TEST(Diagnosis, RefusesVersionsThatAreTooOldOrTooNew) {
  for (const auto& [version, can_live] : std::initializer_list<std::pair<unsigned, bool>>{
           {7, false}, {8, true}, {14, true}, {15, false}}) {
    Findings findings = healthy();
    findings.probe.facts->minor = version;
    findings.probe.facts->version = "3." + std::to_string(version) + ".1";
    const Diagnosis diagnosis = diagnose(findings);
    EXPECT_EQ(diagnosis.can_live, can_live) << version;
  }
  Findings findings = healthy();
  findings.probe.facts->major = 2;
  findings.probe.facts->version = "2.7.18";
  EXPECT_EQ(
      verdict_of(findings),
      "This Python can't live on Tarn: CPython 2.7.18 is not supported; use CPython 3.8 to 3.14.");
}

TEST(Diagnosis, RefusesAFreeThreadedBuildAndSaysWhy) {
  Findings findings = healthy();
  findings.probe.facts->free_threaded = true;
  EXPECT_EQ(
      verdict_of(findings),
      "This Python can't live on Tarn: its cycle collector finds objects by walking the heaps of "
      "its own allocator, mimalloc; use a build with the GIL (python3.11).");
}

TEST(Diagnosis, RefusesOtherImplementations) {
  Findings findings = healthy();
  findings.probe.facts->implementation = "pypy";
  EXPECT_EQ(verdict_of(findings),
            "This Python can't live on Tarn: it is pypy, which has a memory manager that can't be "
            "replaced; use CPython 3.8 to 3.14.");
}

TEST(Diagnosis, KnowsWhatFollowsFromPythonmalloc) {
  Findings findings = healthy();
  for (const char* value : {"", "default", "debug"}) {
    findings.pythonmalloc = value;
    EXPECT_TRUE(diagnose(findings).can_live) << value;
  }
  for (const char* value : {"malloc", "malloc_debug", "pymalloc", "pymalloc_debug", "mimalloc"}) {
    findings.pythonmalloc = value;
    EXPECT_EQ(verdict_of(findings), std::string("This Python can't live on Tarn: PYTHONMALLOC=") +
                                        value + " chooses another allocator; unset PYTHONMALLOC.");
  }
  findings.pythonmalloc = "\x1b[2J";
  EXPECT_EQ(verdict_of(findings),
            "This Python can't live on Tarn: Python won't start with PYTHONMALLOC=\\x1b[2J; unset "
            "PYTHONMALLOC.");
}

TEST(Diagnosis, TellsWhatTheSettingsMeanWithoutBlamingThem) {
  Findings findings = healthy();
  findings.pythonmalloc = "debug";
  findings.pythondevmode = "1";
  findings.address_space_limit = std::uint64_t{4} << 30;
  const std::string text = diagnosis_text(diagnose(findings), Style(false));
  EXPECT_THAT(text, HasSubstr("PYTHONMALLOC   debug: Tarn stays on, under Python's debug hooks\n"));
  EXPECT_THAT(text, HasSubstr("PYTHONDEVMODE  set: Tarn stays on, under Python's debug hooks\n"));
  EXPECT_THAT(text, HasSubstr("RLIMIT_AS      4 GiB, enough to reserve a range of addresses\n"));
  EXPECT_THAT(text, EndsWith("\nThis Python can live on Tarn.\n"));
  findings.trial->address_map = "page_map";
  EXPECT_THAT(diagnosis_text(diagnose(findings), Style(false)),
              HasSubstr("4 GiB, too little to reserve a range of addresses: a page map is used\n"));
}

TEST(Diagnosis, NamesTheFirstOfSeveralThingsInTheWayAndListsThemAll) {
  Findings findings = healthy();
  findings.preload_obstacle = "it is setuid, so the loader ignores LD_PRELOAD";
  findings.pythonmalloc = "malloc";
  const Diagnosis diagnosis = diagnose(findings);
  EXPECT_EQ(diagnosis.because, "it is setuid, so the loader ignores LD_PRELOAD");
  const nlohmann::json json = diagnosis_json(findings, diagnosis);
  EXPECT_EQ(json["can_live"], false);
  EXPECT_EQ(json["in_the_way"],
            (nlohmann::json{"privileges: it is setuid, so the loader ignores LD_PRELOAD",
                            "PYTHONMALLOC: malloc: chooses another allocator, Tarn stays off"}));
}

TEST(Diagnosis, BelievesTheTrialMoreThanEverythingElse) {
  Findings findings = healthy();
  findings.trial = read_report(
      with(sample_off_report_text, "PYTHONMALLOC=malloc chooses another allocator", "a bad day"));
  EXPECT_EQ(verdict_of(findings), "This Python can't live on Tarn: a bad day.");
  findings.trial.reset();
  findings.trial_problem = "it ended with status 3";
  findings.trial_messages = {"something"};
  const std::string text = diagnosis_text(diagnose(findings), Style(false));
  EXPECT_THAT(
      text,
      HasSubstr("tried          it ended with status 3\n               it wrote: something\n"));
  EXPECT_EQ(
      verdict_of(findings),
      "This Python can't live on Tarn: it was run with the hook, but it ended with status 3.");
}

TEST(Diagnosis, OfWhatDoesNotAnswer) {
  Findings findings;
  findings.python = "/bin/true";
  findings.probe = read_probe("");
  findings.library = "/lib.so";
  EXPECT_EQ(
      verdict_of(findings),
      "This Python can't live on Tarn: it couldn't be asked what it is: it doesn't answer as a "
      "Python does; try it by hand: /bin/true -I -S -c pass.");
  const nlohmann::json json = diagnosis_json(findings, diagnose(findings));
  EXPECT_EQ(json["facts"], nullptr);
  EXPECT_EQ(json["trial"], nullptr);
}

TEST(DiagnosisJson, HasTheFacts) {
  const Findings findings = healthy();
  const nlohmann::json json = diagnosis_json(findings, diagnose(findings));
  EXPECT_EQ(json["can_live"], true);
  EXPECT_EQ(json["because"], nullptr);
  EXPECT_EQ(json["facts"]["version"], "3.11.2");
  EXPECT_EQ(json["facts"]["executable"], "/usr/bin/python3.11");
  EXPECT_EQ(json["facts"]["libpython"], nullptr);
  EXPECT_EQ(json["trial"]["arenas"]["peak"], 40);
  EXPECT_EQ(json["in_the_way"], nlohmann::json::array());
}

TEST(Probe, ReadsTheFacts) {
  const ProbeResult result = read_probe(good_probe);
  ASSERT_TRUE(result.facts);
  EXPECT_EQ(result.facts->version, "3.11.2");
  EXPECT_EQ(result.facts->minor, 11u);
  EXPECT_EQ(result.facts->executable, "/usr/bin/python3.11");
  EXPECT_EQ(result.facts->libpython, "");
}

TEST(Probe, BelievesNoAnswerThatIsNotWholeAndSound) {
  const std::string good = good_probe;
  for (std::size_t size = 0; size + 1 < good.size(); ++size) {
    EXPECT_FALSE(read_probe(good.substr(0, size)).facts) << size;
  }
  EXPECT_FALSE(read_probe(with(good, "major 3", "major -3")).facts);
  EXPECT_FALSE(read_probe(with(good, "major 3", "major 3\nmajor 3")).facts);
  EXPECT_FALSE(read_probe(with(good, "version 3.11.2", "version 3.11\x1b[2J")).facts);
  EXPECT_FALSE(read_probe(with(good, "version 3.11.2", "version " + std::string(1000, '3'))).facts);
  EXPECT_FALSE(read_probe(with(good, "executable 2f", "executable 2")).facts);
  EXPECT_FALSE(read_probe(with(good, "executable 2f", "executable 00")).facts);
  EXPECT_FALSE(read_probe(with(good, "executable 2f", "executable -1")).facts);
  EXPECT_FALSE(read_probe(with(good, "executable 2f", "executable zz")).facts);
  EXPECT_FALSE(read_probe("banner\n" + good).facts);
  EXPECT_FALSE(read_probe(good + "more\n").facts);
}

}  // namespace
}  // namespace tarn::cli
