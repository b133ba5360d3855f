#include "tools/cli/library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temporary_folder.h"
#include "tools/cli/failure.h"

namespace tarn::cli {
namespace {

std::string failure_of(const Environment& environment) {
  try {
    return "found " + find_library(environment);
  } catch (const Failure& failure) {
    return std::to_string(failure.status()) + ": " + failure.what();
  }
}

Environment naming(const std::string& library) {
  Environment environment;
  environment.set("TARN_LIBRARY", library);
  return environment;
}

TEST(Library, LiesInTheBuildTreeOrInTheInstallation) {
  const auto candidates = library_candidates("/usr/bin");
  ASSERT_GE(candidates.size(), 2u);
  EXPECT_EQ(candidates[0], "/usr/lib/libtarn-python.so");
  EXPECT_THAT(candidates, testing::Contains("/usr/lib/tarn/libtarn-python.so"));
}

TEST(Library, IsWhatTarnLibraryNames) {
  const TemporaryFolder folder;
  const std::string file = folder.write("library.so", "");
  EXPECT_EQ(find_library(naming(file)), file);
}

TEST(Library, IsNamedByAnAbsolutePath) {
  const TemporaryFolder folder;
  const std::string file = folder.write("library.so", "");
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const std::string found = find_library(naming("./library.so"));
  std::filesystem::current_path(before);
  EXPECT_EQ(found, file);
}

TEST(Library, ThatDoesNotExistIsSaidWithWhereItWasLookedFor) {
  EXPECT_EQ(failure_of(naming("/nowhere/library.so")),
            "1: TARN_LIBRARY names no file: /nowhere/library.so");
  EXPECT_THAT(failure_of(Environment()),
              testing::AnyOf(testing::HasSubstr("libtarn-python.so is missing; looked for /"),
                             testing::StartsWith("found ")));
}

TEST(Library, WhosePathTheLoaderWouldSplitIsRefused) {
  const TemporaryFolder folder;
  const std::string file = folder.write("my library.so", "");
  EXPECT_EQ(failure_of(naming(file)),
            "1: LD_PRELOAD can't hold a path with a space or a colon: " + file +
                "; set TARN_LIBRARY to a link to it whose path has none");
  EXPECT_THAT(failure_of(naming(folder.write("a:b.so", ""))), testing::StartsWith("1: LD_PRELOAD"));
}

TEST(Library, GoesBeforeWhatIsPreloadedAlreadyAndOnlyOnce) {
  Environment environment;
  preload(environment, "/a.so");
  EXPECT_EQ(environment.get("LD_PRELOAD"), "/a.so");
  preload(environment, "/a.so");
  EXPECT_EQ(environment.get("LD_PRELOAD"), "/a.so");
  environment.set("LD_PRELOAD", "/b.so /c.so");
  preload(environment, "/a.so");
  EXPECT_EQ(environment.get("LD_PRELOAD"), "/a.so:/b.so /c.so");
}

TEST(Environment, IsEditedInPlaceAndByWholeNames) {
  Environment environment;
  environment.set("AB", "1");
  environment.set("A", "2");
  environment.set("AB", "3=4");
  EXPECT_EQ(environment.get("AB"), "3=4");
  EXPECT_EQ(environment.get("A"), "2");
  EXPECT_EQ(environment.get("B"), std::nullopt);
  environment.remove("A");
  const std::vector<char*> pointers = environment.pointers();
  ASSERT_EQ(pointers.size(), 2u);
  EXPECT_STREQ(pointers[0], "AB=3=4");
  EXPECT_EQ(pointers[1], nullptr);
}

}  // namespace
}  // namespace tarn::cli
