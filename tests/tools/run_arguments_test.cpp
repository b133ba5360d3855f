#include "tools/cli/run_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/cli/failure.h"

namespace tarn::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Words = std::vector<std::string>;

RunArguments split(const Words& words) {
  return split_run_arguments(words, [](std::string_view name) { return name == "--python"; });
}

std::string problem_of(const Words& words) {
  try {
    static_cast<void>(split(words));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "none";
}

TEST(RunArguments, TheFirstWordThatIsNoOptionBeginsTheCommand) {
  const RunArguments arguments = split({"--report", "app.py", "--report", "-u", "--", ""});
  EXPECT_EQ(arguments.form, CommandForm::word);
  EXPECT_THAT(arguments.options, ElementsAre("--report"));
  EXPECT_THAT(arguments.python_options, IsEmpty());
  EXPECT_THAT(arguments.command, ElementsAre("app.py", "--report", "-u", "--", ""));
}

TEST(RunArguments, OptionsOfTheCommandAreNeverEaten) {
  const RunArguments arguments = split({"python3", "-X", "dev", "--python", "app.py", "-h"});
  EXPECT_THAT(arguments.options, IsEmpty());
  EXPECT_THAT(arguments.command, ElementsAre("python3", "-X", "dev", "--python", "app.py", "-h"));
}

TEST(RunArguments, WhatIsBehindTheDashesIsTheCommandAsItStands) {
  const RunArguments arguments = split({"--quiet", "--", "--odd", "--", "-c"});
  EXPECT_EQ(arguments.form, CommandForm::verbatim);
  EXPECT_THAT(arguments.options, ElementsAre("--quiet"));
  EXPECT_THAT(arguments.command, ElementsAre("--odd", "--", "-c"));
}

TEST(RunArguments, AValueMayStandBehindItsOptionOrBehindTheEqualsSign) {
  EXPECT_THAT(split({"--python", "p", "x"}).options, ElementsAre("--python=p"));
  EXPECT_THAT(split({"--python=p", "x"}).options, ElementsAre("--python=p"));
  EXPECT_THAT(split({"--python", "-p", "x"}).options, ElementsAre("--python=-p"));
}

TEST(RunArguments, AnOptionalValueNeedsTheEqualsSign) {
  const RunArguments arguments = split({"--report", "x"});
  EXPECT_THAT(arguments.options, ElementsAre("--report"));
  EXPECT_THAT(arguments.command, ElementsAre("x"));
}

TEST(RunArguments, AModuleOrCodeEndsTheOptions) {
  for (const char* option : {"-m", "-c"}) {
    const RunArguments arguments = split({"--quiet", option, "this", "--quiet", "-c"});
    EXPECT_EQ(arguments.form, CommandForm::python_source);
    EXPECT_THAT(arguments.options, ElementsAre("--quiet"));
    EXPECT_THAT(arguments.command, ElementsAre(option, "this", "--quiet", "-c"));
  }
  EXPECT_THAT(split({"-cpass", "x"}).command, ElementsAre("-cpass", "x"));
  EXPECT_THAT(split({"-Ibc", "pass"}).command, ElementsAre("-Ibc", "pass"));
}

TEST(RunArguments, PythonsOptionsMayStandAmongTarns) {
  const RunArguments arguments =
      split({"-u", "--report", "-X", "dev", "-Wignore", "--quiet", "-bb", "app.py", "-u"});
  EXPECT_EQ(arguments.form, CommandForm::word);
  EXPECT_THAT(arguments.options, ElementsAre("--report", "--quiet"));
  EXPECT_THAT(arguments.python_options, ElementsAre("-u", "-X", "dev", "-Wignore", "-bb"));
  EXPECT_THAT(arguments.command, ElementsAre("app.py", "-u"));
}

TEST(RunArguments, TheValueOfAPythonOptionIsNotReadWhateverItLooksLike) {
  EXPECT_THAT(split({"-W", "--report", "x"}).python_options, ElementsAre("-W", "--report"));
  EXPECT_THAT(split({"-uX", "c", "x"}).python_options, ElementsAre("-uX", "c"));
}

TEST(RunArguments, PythonsOptionsAloneAreForPython) {
  const RunArguments arguments = split({"-q", "--report"});
  EXPECT_EQ(arguments.form, CommandForm::python_only);
  EXPECT_THAT(arguments.command, IsEmpty());
}

TEST(RunArguments, ASingleDashIsAWord) {
  const RunArguments arguments = split({"-", "x"});
  EXPECT_EQ(arguments.form, CommandForm::word);
  EXPECT_THAT(arguments.command, ElementsAre("-", "x"));
}

TEST(RunArguments, AskingForHelpIsHeardBeforeTheCommandOnly) {
  EXPECT_THAT(split({"-h", "x"}).options, ElementsAre("--help"));
  EXPECT_THAT(split({"--help"}).options, ElementsAre("--help"));
  EXPECT_THAT(split({"-uh"}).options, ElementsAre("--help"));
  EXPECT_THAT(split({"x", "-h"}).options, IsEmpty());
}

TEST(RunArguments, NoWordsAreNoCommand) {
  EXPECT_THAT(split({}).command, IsEmpty());
  EXPECT_THAT(split({"--"}).command, IsEmpty());
}

TEST(RunArguments, SaysWhatIsWrongInOneLine) {
  constexpr const char* help = "; try 'tarn run --help'";
  EXPECT_EQ(problem_of({"-Z", "x"}), std::string("unknown option '-Z'") + help);
  EXPECT_EQ(problem_of({"-u\n", "x"}), std::string("unknown option '-u\\x0a'") + help);
  EXPECT_EQ(problem_of({"--python"}), std::string("--python needs a value") + help);
  EXPECT_EQ(problem_of({"--python", ""}), std::string("--python has an empty value") + help);
  EXPECT_EQ(problem_of({"--report="}), std::string("--report has no value behind '='") + help);
  EXPECT_EQ(problem_of({"-X"}), std::string("-X needs a value") + help);
  EXPECT_EQ(problem_of({"-c"}), std::string("-c needs the code behind it") + help);
  EXPECT_EQ(problem_of({"-m"}), std::string("-m needs a module behind it") + help);
  EXPECT_EQ(
      problem_of({"-u", "--", "x"}),
      std::string("'-u' is an option of Python's, but what stands behind '--' is run as it is") +
          help);
}

}  // namespace
}  // namespace tarn::cli
